import { SednaError } from "@sedna-js/core";

export { directory } from "./directory.node.ts";
export { rtsp, videoFile, webcam } from "./ffmpeg.node.ts";

const onlyInBrowsers = (what: string): never => {
  throw new SednaError(
    `${what}: expected a browser; in Node use rtsp(), webcam(), videoFile() or directory()`,
    { code: "unsupported-platform" },
  );
};

export const camera = (): never => onlyInBrowsers("open the camera");

export const videoElement = (): never => onlyInBrowsers("read a video element");

export const videoFrames = (): never => onlyInBrowsers("read the frames of WebCodecs");
