import type { Frame, SampleSource } from "@sedna-js/core";
import { describeValue } from "@sedna-js/core/errors";
import { browserFrame } from "../frames/video-frame.browser.ts";
import type { VideoFramesOptions } from "./platform.ts";
import { stoppable } from "./stoppable.ts";

/**
 * Maximum number of remaining frames to close one by one: a stream that creates frames on demand never runs
 * out.
 */
const MAX_LEFT_OVER = 256;

/** Implements `videoFrames` of the platform contract. Each VideoFrame is either yielded or closed. */
export function videoFrames(
  frames: unknown,
  { live = true, signal }: VideoFramesOptions = {},
): SampleSource<Frame> {
  if (!(frames instanceof ReadableStream) && !isAsyncIterable(frames))
    throw new TypeError(
      `read the frames of WebCodecs: expected a ReadableStream or AsyncIterable of VideoFrame; got ${describeValue(frames)}`,
    );
  return stoppable((stop) => wrapped(frames, stop), { live, signal });
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

interface Reader {
  read(): Promise<{ readonly done?: boolean; readonly value?: unknown }>;
  /** Cancels the stream. The promise may take any time to settle. */
  cancel(): Promise<unknown>;
}

function open(frames: ReadableStream<unknown> | AsyncIterable<unknown>): Reader {
  if (frames instanceof ReadableStream) {
    const reader = frames.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
  const iterator = frames[Symbol.asyncIterator]();
  return { read: () => iterator.next(), cancel: async () => iterator.return?.() };
}

async function* wrapped(
  frames: ReadableStream<unknown> | AsyncIterable<unknown>,
  stop: AbortSignal,
): AsyncGenerator<Frame> {
  const reader = open(frames);
  const stopped = new Promise<undefined>((resolve) =>
    stop.addEventListener("abort", () => resolve(undefined), { once: true }),
  );
  let reading: ReturnType<Reader["read"]> | undefined;
  let over = false;
  try {
    while (!stop.aborted) {
      reading = reader.read();
      const next = await Promise.race([reading, stopped]);
      // `over` stays false, so `closeRest` closes the frame of the pending read.
      if (next === undefined) return;
      reading = undefined;
      if (next.done) {
        over = true;
        return;
      }
      if (!(next.value instanceof VideoFrame))
        throw new TypeError(
          `read the frames of WebCodecs: expected a VideoFrame; got ${describeValue(next.value)}`,
        );
      if (stop.aborted) return next.value.close();
      yield browserFrame(next.value, { timestamp: next.value.timestamp / 1000 });
    }
  } catch (error) {
    // A failed stream yields no more frames.
    over = !(error instanceof TypeError);
    throw error;
  } finally {
    if (!over) await closeRest(reader, reading);
  }
}

/** Closes the frames in a stream's queue and the frame that arrives while the stream is being canceled. */
async function closeRest(reader: Reader, underWay: ReturnType<Reader["read"]> | undefined): Promise<void> {
  const close = ({ value }: { readonly value?: unknown }): void =>
    value instanceof VideoFrame ? value.close() : undefined;
  let reading = underWay ?? reader.read();
  for (let i = 0; i < MAX_LEFT_OVER; i++) {
    // Reads of queued frames resolve before the next turn of the event loop.
    const turn = new Promise<"none">((resolve) => setTimeout(() => resolve("none")));
    const next = await Promise.race([reading, turn]).catch(() => ({ done: true as const }));
    if (next === "none") break;
    if (next.done) return;
    close(next);
    reading = reader.read();
  }
  void reading.then(close, () => {});
  void reader.cancel().catch(() => {});
}
