import { createJointInference, type Estimator, type Frame } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { videoFrames } from "./video-frames.browser.ts";

/** Creates VideoFrames and counts how often each is closed. */
function watchedFrames() {
  const closes = new Map<VideoFrame, number>();
  let number = 0;
  return {
    /** Returns how often each created frame has been closed. */
    closes: () => [...closes.values()],
    make(): VideoFrame {
      const frame = new VideoFrame(new Uint8ClampedArray(4 * 8 * 6).fill(number % 256), {
        format: "RGBA",
        codedWidth: 8,
        codedHeight: 6,
        timestamp: Math.round(1e6 * (number++ / 60)),
      });
      const close = frame.close.bind(frame);
      closes.set(frame, 0);
      return Object.assign(frame, { close: () => (closes.set(frame, closes.get(frame)! + 1), close()) });
    },
  };
}
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
const onlyOnce = (closes: readonly number[]): boolean => closes.every((times) => times === 1);

describe("C17: a camera faster than the model, with VideoFrames", () => {
  it("yields the latest of 60 frames per second to a model that handles 10, none older than two inferences, and closes each once", async () => {
    const frames = watchedFrames();
    const started = performance.now();
    const made = new Map<number, number>();
    let timer: ReturnType<typeof setInterval> | undefined;
    const camera = new ReadableStream<VideoFrame>({
      start(controller) {
        timer = setInterval(() => {
          // Timers fire late and then in bursts, but a camera keeps its rate.
          while (made.size < ((performance.now() - started) * 60) / 1000) {
            const frame = frames.make();
            made.set(Math.round(frame.timestamp / 1000), performance.now());
            controller.enqueue(frame);
          }
        }, 1000 / 60);
      },
      cancel: () => clearInterval(timer),
    });
    // The actual duration of a 100 ms inference on a machine with other load.
    const inferences: number[] = [];
    const estimator: Estimator<Frame, number> = {
      load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
      predict: async (frame) => {
        const began = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 100));
        inferences.push(performance.now() - began);
        return frame.timestamp;
      },
      dispose: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    const joint = createJointInference({ estimator });
    const ages: number[] = [];
    for await (const { result } of joint.run(videoFrames(camera))) {
      ages.push(performance.now() - made.get(Math.round(result!))!);
      if (ages.length === 50) break;
    }
    expect(percentile(ages, 0.99)).toBeLessThanOrEqual(2 * percentile(inferences, 0.99));
    expect(joint.status().droppedNumber).toBeGreaterThan(4 * 45);
    await expect.poll(() => onlyOnce(frames.closes())).toBe(true);
  });
});

describe("videoFrames()", () => {
  it("yields the frames of a real camera's MediaStreamTrackProcessor", async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
    const [track] = stream.getVideoTracks();
    const { readable } = new (
      globalThis as unknown as {
        MediaStreamTrackProcessor: new (init: { track: MediaStreamTrack }) => {
          readable: ReadableStream<VideoFrame>;
        };
      }
    ).MediaStreamTrackProcessor({ track: track! });
    const times: number[] = [];
    for await (const frame of videoFrames(readable)) {
      expect([frame.width, frame.height]).toEqual([320, 240]);
      times.push(frame.timestamp);
      frame.close();
      if (times.length === 3) break;
    }
    expect(times[2]! - times[0]!).toBeGreaterThan(10);
    track!.stop();
  });

  it("yields every frame of a file with its time in ms, and closes the queued frames when its reader stops", async () => {
    const frames = watchedFrames();
    let cancelled = 0;
    const decoder = new ReadableStream<VideoFrame>({
      start: (controller) => {
        for (let i = 0; i < 12; i++) controller.enqueue(frames.make());
      },
      cancel: () => void cancelled++,
    });
    const source = videoFrames(decoder, { live: false });
    expect(source.live).toBe(false);
    const times: number[] = [];
    for await (const frame of source) {
      times.push(frame.timestamp);
      frame.close();
      if (times.length === 3) break;
    }
    expect(times.map(Math.round)).toEqual([0, 17, 33]);
    expect([frames.closes().length, onlyOnce(frames.closes()), cancelled]).toEqual([12, true, 1]);
  });

  it("accepts an async iterable, and closes it when its reader stops", async () => {
    const frames = watchedFrames();
    let ended = false;
    async function* made(): AsyncGenerator<VideoFrame> {
      try {
        for (;;) yield frames.make();
      } finally {
        ended = true;
      }
    }
    for await (const frame of videoFrames(made())) {
      frame.close();
      break;
    }
    await expect.poll(() => ended).toBe(true);
    await expect.poll(() => onlyOnce(frames.closes())).toBe(true);
  });

  it("ends at once while a read is pending, and closes the frame that arrives later", async () => {
    const frames = watchedFrames();
    let enqueue!: (frame: VideoFrame) => void;
    const iterator = videoFrames({
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise<IteratorResult<VideoFrame>>(
            (resolve) => (enqueue = (value) => resolve({ done: false, value })),
          ),
      }),
    })[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await Promise.resolve();
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
    enqueue(frames.make());
    await expect.poll(frames.closes).toEqual([1]);
  });

  it("throws the error of a failed stream, and rejects input without VideoFrames", async () => {
    const broken = new ReadableStream<VideoFrame>({
      pull: (controller) => controller.error(new Error("the decoder failed")),
    });
    await expect(videoFrames(broken)[Symbol.asyncIterator]().next()).rejects.toThrow("the decoder failed");
    const text = new ReadableStream({ start: (controller) => controller.enqueue("text") });
    await expect(videoFrames(text)[Symbol.asyncIterator]().next()).rejects.toThrow(
      'expected a VideoFrame; got "text"',
    );
    expect(() => videoFrames(null)).toThrow(
      "expected a ReadableStream or AsyncIterable of VideoFrame; got null",
    );
  });
});
