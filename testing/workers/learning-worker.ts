// A Worker for tests: a head that learns from eight numbers, or from the first two pixels of a frame. A
// sample that begins with 666 crashes the Worker.
import type { Estimator, Frame } from "@sedna-js/core";
import { isFrame } from "@sedna-js/core/vision";
import { headEstimator } from "../../packages/edge-agent/src/training/head-estimator.ts";
import { exposeEstimator } from "../../packages/edge-agent/src/worker/expose-estimator.ts";

const metadata = { kind: "tensors", inputs: [], outputs: [], backend: "none" } as const;
const features: Estimator<Float32Array | Frame, Float32Array> = {
  load: async () => metadata,
  async predict(sample) {
    if (isFrame(sample)) {
      const pixels = new Uint8ClampedArray(4 * sample.width * sample.height);
      await sample.copyTo(pixels);
      return Float32Array.from(pixels.subarray(0, 8), (value) => value / 255);
    }
    if (sample[0] === 666) {
      setTimeout(() => {
        throw new Error("the worker's own bug");
      });
      return new Promise(() => {});
    }
    return sample;
  },
  async dispose() {},
  async [Symbol.asyncDispose]() {},
};

exposeEstimator(() =>
  headEstimator({ features, head: { kind: "mlp", features: 8, hidden: 6, classes: 3 }, seed: 3 }),
);
