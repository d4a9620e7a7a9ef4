import { createJointInference, type Estimator, type Frame, type SampleSource } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { hasFfmpeg } from "../../../scripts/ffmpeg.ts";
import { drawn, ffmpegChildren, firstPixel, numbered } from "../../../testing/fakes/drawn-frames.ts";

// A camera of 60 frames a second, drawn by a real ffmpeg in its own time, before a model of 10.

const installed = hasFfmpeg();
const skipped = installed ? "" : " (SKIPPED: ffmpeg 5.1 or newer is not installed)";
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;

describe.skipIf(!installed)("C17: camera faster than the model", () => {
  it(`the newest of 60 frames a second wins for a model of 10, none older than two inferences, and each is closed once${skipped}`, async () => {
    const closes = new Map<Frame, number>();
    const arrived = new Map<Frame, number>();
    const accepted: SampleSource<Frame> = {
      live: true,
      async *[Symbol.asyncIterator]() {
        for await (const frame of drawn(numbered(60))) {
          const close = frame.close.bind(frame);
          closes.set(frame, 0);
          arrived.set(frame, performance.now());
          yield Object.assign(frame, {
            close: () => (close(), void closes.set(frame, closes.get(frame)! + 1)),
          });
        }
      },
    };
    // The actual duration of a 100 ms inference on a machine with other load.
    const inferences: number[] = [];
    const estimator: Estimator<Frame, number> = {
      load: async () => ({ kind: "image", inputs: [], outputs: [], backend: "test" }),
      predict: async (frame) => {
        const began = performance.now();
        const [grey] = await firstPixel(frame);
        await new Promise((resolve) => setTimeout(resolve, 100));
        inferences.push(performance.now() - began);
        return grey! / 4;
      },
      dispose: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    const joint = createJointInference({ estimator });
    // Two ages of an answer: since its frame came, and, by the number in the picture, since it was drawn. For
    // that the least lag, which had an inference in it, is the zero.
    const ages: number[] = [];
    const lags: number[] = [];
    let turns = 0;
    let before = -1;
    for await (const { result, sample } of joint.run(accepted)) {
      if (result! < before) turns++;
      before = result!;
      ages.push(performance.now() - arrived.get(sample)!);
      lags.push(performance.now() - ((64 * turns + result!) * 1000) / 60);
      if (ages.length === 60) break;
    }
    const inferenceMs = percentile(inferences, 0.99);
    expect(percentile(ages, 0.99)).toBeLessThanOrEqual(2 * inferenceMs);
    expect(percentile(lags, 0.5) - Math.min(...lags) + inferenceMs).toBeLessThanOrEqual(2 * inferenceMs);
    expect(joint.stats().droppedNumber).toBeGreaterThan(4 * 50);
    await expect.poll(() => [...closes.values()].filter((times) => times !== 1)).toEqual([]);
    await expect.poll(ffmpegChildren).toEqual([]);
  }, 30_000);

  it(`a reader of the source itself gets the newest, not what waited in pipes${skipped}`, async () => {
    const seen: { number: number; at: number }[] = [];
    for await (const frame of drawn(numbered(60))) {
      seen.push({ number: (await firstPixel(frame))[0]! / 4, at: performance.now() });
      if (seen.length === 4) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // About as many frames on as the time is, not three: neither those that were missed nor those that
    // waited.
    const [first, last] = [seen[0]!, seen.at(-1)!];
    expect(last.number - first.number).toBeGreaterThan(0.5 * 60 * ((last.at - first.at) / 1000));
  });
});
