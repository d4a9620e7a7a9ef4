import type { Frame, SampleSource } from "@sedna-js/core";
import type { VideoFileOptions } from "./platform.ts";
import { stoppable } from "./stoppable.ts";
import { grab } from "./video-element.browser.ts";

/**
 * Implements `videoFile` of the platform contract by seeking from frame to frame, so that a slow model misses
 * none.
 */
export function videoFile({ source, fps, signal }: VideoFileOptions): SampleSource<Frame> {
  if (!(fps > 0 && fps < Infinity))
    throw new RangeError(`read a video file: expected fps above 0; got ${fps}`);
  return stoppable((stop) => frames({ source, fps }, stop), { live: false, signal });
}

async function* frames({ source, fps }: VideoFileOptions, stop: AbortSignal): AsyncGenerator<Frame> {
  const video = document.createElement("video");
  const url = source instanceof Blob ? URL.createObjectURL(source) : undefined;
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = url ?? String(source);
    await happens(video, "loadeddata", stop);
    if (!stop.aborted && !Number.isFinite(video.duration))
      throw new RangeError(
        "read a video file: expected a video with a known duration; got one without (recordings of MediaRecorder often have none)",
      );
    // Seek to the middle of a frame's interval: a seek to its edge may land on either side.
    for (let i = 0; (i + 0.5) / fps < video.duration && !stop.aborted; i++) {
      const sought = happens(video, "seeked", stop);
      video.currentTime = (i + 0.5) / fps;
      await sought;
      if (stop.aborted) return;
      yield await grab(video, (i / fps) * 1000);
    }
  } finally {
    video.removeAttribute("src");
    video.load();
    if (url !== undefined) URL.revokeObjectURL(url);
  }
}

/** Resolves when the event fires or `stop` aborts. Rejects if the video fails. */
function happens(video: HTMLVideoElement, event: "loadeddata" | "seeked", stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const once = { signal: over.signal };
    const done = (): void => {
      over.abort();
      resolve();
    };
    video.addEventListener(event, done, once);
    stop.addEventListener("abort", done, once);
    video.addEventListener(
      "error",
      () => {
        over.abort();
        reject(
          new Error(
            `read a video file: expected a video that this browser plays; got ${video.error?.message || `code ${video.error?.code}`}`,
          ),
        );
      },
      once,
    );
    if (stop.aborted) done();
  });
}
