import { SednaError } from "@sedna-js/core";

export { camera } from "./camera.browser.ts";
export { videoElement } from "./video-element.browser.ts";
export { videoFile } from "./video-file.browser.ts";
export { videoFrames } from "./video-frames.browser.ts";

const onlyInNode = (what: string): never => {
  throw new SednaError(`${what}: expected Node; in a browser use camera()`, { code: "unsupported-platform" });
};

export const rtsp = (): never => onlyInNode("read a network camera");

export const webcam = (): never => onlyInNode("open the webcam");

export function directory(): never {
  throw new SednaError(
    "read a directory: expected Node; in a browser use camera(), videoElement() or videoFile()",
    { code: "unsupported-platform" },
  );
}
