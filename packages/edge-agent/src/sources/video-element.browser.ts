import type { Frame, SampleSource } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import { browserFrame } from "../frames/video-frame.browser.ts";
import { stoppable } from "./stoppable.ts";

/**
 * Implements `videoElement` of the platform contract: yields each frame of a playing `<video>` when it is
 * shown.
 */
export function videoElement(
  element: unknown,
  { signal }: { readonly signal?: AbortSignal } = {},
): SampleSource<Frame> {
  if (!(element instanceof HTMLVideoElement))
    throw new TypeError(`read a video element: expected a <video>; got ${describeValue(element)}`);
  return stoppable((stop) => framesOf(element, stop), { live: true, signal });
}

/** Yields the frames of a playing video until it ends or the signal aborts. */
export async function* framesOf(video: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<Frame> {
  while (!signal.aborted) {
    const shown = await nextShown(video, signal);
    if (shown === undefined) return;
    yield await grab(video, shown.mediaTime * 1000);
  }
}

/** Captures the current image of a video as a frame that is independent of the video. */
export async function grab(video: HTMLVideoElement, timestamp: number): Promise<Frame> {
  if (video.videoWidth === 0 || video.videoHeight === 0)
    throw new RangeError(
      `read a video element: expected a picture of at least 1x1; got ${video.videoWidth}x${video.videoHeight}`,
    );
  const picture =
    typeof VideoFrame === "function"
      ? new VideoFrame(video, { timestamp: Math.round(timestamp * 1000) })
      : await createImageBitmap(video);
  return browserFrame(picture, { timestamp });
}

/** Waits until the video shows a new frame. Returns `undefined` if the video ends or the signal aborts. */
function nextShown(
  video: HTMLVideoElement,
  signal: AbortSignal,
): Promise<{ readonly mediaTime: number } | undefined> {
  return new Promise((resolve, reject) => {
    // The video may have ended or failed while the reader processed the last frame.
    if (video.ended) return resolve(undefined);
    if (video.error) return reject(failure(video));
    const stop = new AbortController();
    const settle = (shown: { readonly mediaTime: number } | undefined): void => {
      stop.abort();
      video.cancelVideoFrameCallback(callback);
      resolve(shown);
    };
    const callback = video.requestVideoFrameCallback((_, metadata) => settle(metadata));
    const once = { signal: stop.signal };
    video.addEventListener("ended", () => settle(undefined), once);
    video.addEventListener(
      "error",
      () => {
        stop.abort();
        reject(failure(video));
      },
      once,
    );
    signal.addEventListener("abort", () => settle(undefined), once);
  });
}

function failure(video: HTMLVideoElement): Error {
  return new Error(
    `read a video element: expected frames; the video failed: ${video.error?.message || `code ${video.error?.code}`}`,
  );
}
