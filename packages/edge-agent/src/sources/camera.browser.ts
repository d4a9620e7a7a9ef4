import { SednaError, type Frame, type SampleSource } from "@sedna-js/core";
import type { CameraOptions } from "../platform/contract.ts";
import { videoElement } from "./video-element.browser.ts";

/** See the contract: the camera opens with the first frame that is asked for, and closes with the last. */
export function camera({ video: constraints = {}, element, signal }: CameraOptions = {}): SampleSource<Frame> {
  return {
    live: true,
    async *[Symbol.asyncIterator]() {
      const stream = await open(constraints);
      const video = element instanceof HTMLVideoElement ? element : document.createElement("video");
      try {
        video.muted = true;
        video.playsInline = true;
        video.srcObject = stream;
        await video.play();
        yield* videoElement(video, { signal });
      } finally {
        for (const track of stream.getTracks()) track.stop();
        // Someone else may have taken the element over meanwhile.
        if (video.srcObject === stream) video.srcObject = null;
      }
    },
  };
}

async function open(constraints: Readonly<Record<string, unknown>>): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new SednaError("open the camera: expected a secure page (https or localhost); here the browser offers no camera", { code: "unsupported-platform" });
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: constraints, audio: false });
  } catch (cause) {
    const why = cause instanceof DOMException ? `${cause.name}: ${cause.message}` : String(cause);
    throw new SednaError(`open the camera: expected a video stream; got ${why}`, { code: "unsupported-platform", cause });
  }
}
