import { SednaError, type Frame, type SampleSource } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import type { CameraOptions } from "./platform.ts";
import { stoppable } from "./stoppable.ts";
import { framesOf } from "./video-element.browser.ts";

/**
 * Implements `camera` of the platform contract. The camera opens when the first frame is requested and closes
 * when the reader stops.
 */
export function camera({
  video: constraints = {},
  element,
  signal,
}: CameraOptions = {}): SampleSource<Frame> {
  if (element !== undefined && !(element instanceof HTMLVideoElement))
    throw new TypeError(`open the camera: expected element as a <video>; got ${describeValue(element)}`);

  return stoppable(
    async function* (stop) {
      const stream = await open(constraints);
      try {
        // Skip the video if the reader stopped while the browser asked for permission.
        if (!stop.aborted) yield* show(stream, element ?? document.createElement("video"), stop);
      } finally {
        for (const track of stream.getTracks()) track.stop();
      }
    },
    { live: true, signal },
  );
}

async function* show(stream: MediaStream, video: HTMLVideoElement, stop: AbortSignal): AsyncGenerator<Frame> {
  try {
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    yield* framesOf(video, stop);
  } finally {
    // Another source may have taken over the element in the meantime.
    if (video.srcObject === stream) video.srcObject = null;
  }
}

async function open(constraints: Readonly<Record<string, unknown>>): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new SednaError(
      "open the camera: expected a secure page (https or localhost); got a page without access to cameras",
      { code: "unsupported-platform" },
    );
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: constraints, audio: false });
  } catch (cause) {
    const why = cause instanceof DOMException ? `${cause.name}: ${cause.message}` : String(cause);
    throw new SednaError(`open the camera: expected a video stream; got ${why}`, {
      code: "unsupported-platform",
      cause,
    });
  }
}
