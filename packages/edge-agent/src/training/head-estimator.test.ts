import type { Estimator, LabeledSamples } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import {
  separable,
  trainableEstimatorSuite,
  CLASSES,
  WIDTH,
} from "../../../../testing/suites/trainable-estimator-suite.ts";
import { headEstimator } from "./head-estimator.ts";

const softmax = { kind: "softmax", features: WIDTH, classes: CLASSES } as const;
const mlp = { kind: "mlp", features: WIDTH, hidden: 6, classes: CLASSES } as const;

trainableEstimatorSuite("a softmax", { make: () => headEstimator({ features: "samples", head: softmax }) });
trainableEstimatorSuite("an MLP", { make: () => headEstimator({ features: "samples", head: mlp, seed: 3 }) });
trainableEstimatorSuite("a head on the reference kernels", {
  make: () => headEstimator({ features: "samples", head: mlp, seed: 3, backend: "reference" }),
});

describe("headEstimator()", { timeout: 30_000 }, () => {
  const metadata = { kind: "tensors", inputs: [], outputs: [], backend: "none" } as const;
  const through = (predict: (sample: Float32Array) => Promise<Float32Array>) => {
    const state = { disposed: false };
    const features: Estimator<Float32Array, Float32Array> = {
      load: async () => metadata,
      predict,
      dispose: async () => void (state.disposed = true),
      async [Symbol.asyncDispose]() {},
    };
    return { features, state };
  };

  it("is disposed at once although its feature model hangs, and closes the samples in progress", async () => {
    let asked!: () => void;
    const hangs = new Promise<void>((resolve) => (asked = resolve));
    const { features } = through(() => (asked(), new Promise(() => {})));
    let closed = 0;
    const samples: LabeledSamples<Float32Array> = {
      version: "closing",
      async *[Symbol.asyncIterator]() {
        for (let i = 0; i < 40; i++)
          yield { label: 0, sample: Object.assign(new Float32Array(WIDTH), { close: () => void closed++ }) };
      },
    };
    const estimator = headEstimator({ features, head: softmax });
    const training = estimator.train(samples).catch((error: unknown) => error);
    await hangs;
    await estimator.dispose();
    expect(await training).toMatchObject({ code: "disposed" });
    expect(closed).toBe(32);
  });

  it("does not dispose an estimator that the caller owns", async () => {
    const { features, state } = through(async (sample) => sample);
    const estimator = headEstimator({ features, head: softmax });
    await estimator.train(separable(9));
    await estimator.dispose();
    expect(state.disposed).toBe(false);
  });

  it("throws the feature model's error, and calls the model again the next time", async () => {
    let failing = true;
    const { features } = through(async (sample) => {
      if (failing) throw new RangeError("no picture");
      return sample;
    });
    await using estimator = headEstimator({ features, head: softmax });
    await expect(estimator.train(separable(9))).rejects.toThrow("no picture");
    failing = false;
    expect(await estimator.train(separable(9))).toMatchObject({ numSamples: 9 });
  });

  it("keeps the most recently used sets of features that fit into memory", async () => {
    await using estimator = headEstimator({
      features: "samples",
      head: softmax,
      maxFeatureBytes: 2 * 30 * 4 * (WIDTH + 1),
    });
    const [a, b, c] = [
      separable(30, { version: "a" }),
      separable(30, { version: "b" }),
      separable(30, { version: "c" }),
    ];
    for (const samples of [a, b, a, c, a, b]) await estimator.evaluate(samples);
    expect([a.reads(), b.reads(), c.reads()]).toEqual([1, 2, 1]);
  });

  it("applies the given class weights", async () => {
    const samples: LabeledSamples<Float32Array> = {
      version: "alike",
      async *[Symbol.asyncIterator]() {
        for (const label of [0, 0, 0, 1]) yield { label, sample: new Float32Array(WIDTH).fill(1) };
      },
    };
    const likeliest = async (classWeights?: Float32Array): Promise<number> => {
      await using estimator = headEstimator({
        features: "samples",
        head: softmax,
        classWeights,
      });
      await estimator.train(samples);
      const probabilities = await estimator.predict(new Float32Array(WIDTH).fill(1));
      return probabilities.indexOf(Math.max(...probabilities));
    };
    expect(await likeliest()).toBe(0);
    expect(await likeliest(Float32Array.of(1, 10, 1))).toBe(1);
  });

  it("rejects options that do not fit the head", () => {
    expect(() => headEstimator({ features: "samples", head: softmax, labels: ["a"] })).toThrow(
      "expected 3 labels; got 1",
    );
    expect(() => headEstimator({ features: "samples", head: { kind: "svm" } as never })).toThrow(TypeError);
    expect(() => headEstimator({ features: "samples", head: softmax, weights: {} })).toThrow(
      "expected weight as float32 [3,8]; got only no tensors",
    );
    expect(() =>
      headEstimator({
        features: "samples",
        head: softmax,
        plan: { epochs: 0, batchSize: 1, optimizer: { kind: "sgd", learningRate: 1 } },
      }),
    ).toThrow("expected epochs as an integer of at least 1; got 0");
  });
});
