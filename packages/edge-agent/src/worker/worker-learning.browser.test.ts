import type { Frame, LabeledSamples } from "@sedna-js/core";
import { expect, it } from "vitest";
import {
  CLASSES,
  trainableEstimatorSuite,
  WIDTH,
} from "../../../../testing/suites/trainable-estimator-suite.ts";
import { workerLearningSuite } from "../../../../testing/suites/worker-learning-suite.ts";
import { browserFrame } from "../frames/video-frame.browser.ts";
import { headEstimator } from "../training/head-estimator.ts";
import { workerEstimator } from "./worker-estimator.ts";

const open = () =>
  workerEstimator<Float32Array, Float32Array>(
    new Worker(new URL("../../../../testing/workers/learning-worker.ts", import.meta.url), {
      type: "module",
    }),
  );
const here = () =>
  headEstimator({
    features: "samples",
    head: { kind: "mlp", features: WIDTH, hidden: 6, classes: CLASSES },
    seed: 3,
  });

trainableEstimatorSuite("a head in a page", { make: here });
trainableEstimatorSuite("a head in a browser Worker", { make: open });
workerLearningSuite("a browser Worker", { inWorker: open, here });

it("transfers VideoFrames to the Worker in small groups and closes each", async () => {
  const frames: VideoFrame[] = [];
  let most = 0;
  const samples: LabeledSamples<Frame> = {
    version: "frames",
    async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 100; i++) {
        const pixels = new Uint8ClampedArray(4 * 2)
          .fill(i % 3 === 0 ? 250 : 5)
          .fill(i % 3 === 1 ? 250 : 5, 0, 4);
        const frame = new VideoFrame(pixels, { format: "RGBA", codedWidth: 2, codedHeight: 1, timestamp: i });
        frames.push(frame);
        most = Math.max(most, frames.filter(({ format }) => format !== null).length);
        yield { sample: browserFrame(frame), label: i % 3 };
      }
    },
  };
  const estimator = workerEstimator<Frame, Float32Array>(
    new Worker(new URL("../../../../testing/workers/learning-worker.ts", import.meta.url), {
      type: "module",
    }),
  );
  const report = await estimator.train(samples, {
    plan: { epochs: 20, batchSize: 10, optimizer: { kind: "adam", learningRate: 0.05 } },
  });
  expect(report).toMatchObject({ numSamples: 100, accuracy: 1 });
  expect(frames).toHaveLength(100);
  expect(frames.every(({ format }) => format === null)).toBe(true);
  expect(most).toBeLessThan(3);
  await estimator.dispose();
});
