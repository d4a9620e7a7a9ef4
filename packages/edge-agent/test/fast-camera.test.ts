import { createJointInference, type Estimator, type Frame, type SampleSource } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { hasFfmpeg } from "../../../scripts/ffmpeg.ts";
import { drawn, ffmpegChildren, firstPixel, numbered } from "../../../testing/fakes/drawn-frames.ts";

// A camera of 60 frames per second, drawn by a real ffmpeg in real time, with a model of 10 frames per
// second.

const installed = hasFfmpeg();
const skipped = installed ? "" : " (SKIPPED: ffmpeg 5.1 or newer is not installed)";
const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;

describe.skipIf(!installed)("C17: camera faster than the model", () => {
  it(`infers on the latest of 60 frames per second at 10 per second, none older than two inferences, and closes each frame once${skipped}`, async () => {
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
    // Measure two ages of a result: since the frame arrived, and, by the number in the image, since it was
    // drawn. The smallest lag, which includes one inference, is the zero point of the second.
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
    expect(joint.status().droppedNumber).toBeGreaterThan(4 * 50);
    await expect.poll(() => [...closes.values()].filter((times) => times !== 1)).toEqual([]);
    await expect.poll(ffmpegChildren).toEqual([]);
  }, 30_000);

  it(`a direct reader of the source gets the latest frame, not one that was buffered in pipes${skipped}`, async () => {
    const seen: { number: number; at: number }[] = [];
    for await (const frame of drawn(numbered(60))) {
      seen.push({ number: (await firstPixel(frame))[0]! / 4, at: performance.now() });
      if (seen.length === 4) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // The frame number advances with the time, not by three: neither skipped nor buffered frames are
    // returned.
    const [first, last] = [seen[0]!, seen.at(-1)!];
    expect(last.number - first.number).toBeGreaterThan(0.5 * 60 * ((last.at - first.at) / 1000));
  });
});
