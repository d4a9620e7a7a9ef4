import type { Frame, SampleSource } from "@sedna-js/core";
import type { VideoFileOptions } from "../platform/contract.ts";
import { grab } from "./video-element.browser.ts";

/** See the contract: the file is stepped through by seeking, so that a slow model misses nothing. */
export function videoFile({ source, fps, signal }: VideoFileOptions): SampleSource<Frame> {
  if (!(fps > 0)) throw new RangeError(`read a video file: expected fps above 0; got ${fps}`);
  return { live: false, [Symbol.asyncIterator]: () => frames({ source, fps, signal }) };
}

async function* frames({ source, fps, signal }: VideoFileOptions): AsyncGenerator<Frame> {
  const video = document.createElement("video");
  const url = source instanceof Blob ? URL.createObjectURL(source) : undefined;
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = url ?? String(source);
    await happens(video, "loadeddata");
    // Aim at the middle of a frame's time: a seek to its edge may land on either side.
    for (let i = 0; (i + 0.5) / fps < video.duration && !signal?.aborted; i++) {
      const sought = happens(video, "seeked");
      video.currentTime = (i + 0.5) / fps;
      await sought;
      yield await grab(video, (i / fps) * 1000);
    }
  } finally {
    video.removeAttribute("src");
    video.load();
    if (url !== undefined) URL.revokeObjectURL(url);
  }
}

function happens(video: HTMLVideoElement, event: "loadeddata" | "seeked"): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    video.addEventListener(event, () => (stop.abort(), resolve()), { signal: stop.signal });
    video.addEventListener("error", () => {
      stop.abort();
      reject(new Error(`read a video file: expected a video that this browser plays; got ${video.error?.message || `code ${video.error?.code}`}`));
    }, { signal: stop.signal });
  });
}
