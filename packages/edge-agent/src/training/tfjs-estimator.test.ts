import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential, type Sequential } from "@tensorflow/tfjs-layers";
import { readSafetensors } from "@sedna-js/core/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CLASSES,
  separable,
  trainableEstimatorSuite,
  WIDTH,
} from "../../../../testing/suites/trainable-estimator-suite.ts";
import { tfjsEstimator } from "./tfjs-estimator.ts";

beforeAll(async () => {
  // Without this flag TensorFlow.js prints recommendations.
  tf.env().set("PROD", true);
  await tf.setBackend("cpu");
});
const models: Sequential[] = [];
afterAll(() => {
  for (const model of models) model.dispose();
});
function network(): Sequential {
  const model = sequential({
    layers: [
      layers.dense({ units: 6, inputShape: [WIDTH], activation: "relu", kernelInitializer: "ones" }),
      layers.dense({ units: CLASSES, activation: "softmax", kernelInitializer: "zeros" }),
    ],
  });
  // The same in each model, but different in each unit.
  const first = tf.tidy(() =>
    tf.tensor(
      Float32Array.from({ length: WIDTH * 6 }, (_, i) => Math.sin(i) / 3),
      [WIDTH, 6],
    ),
  );
  model.setWeights([first, ...model.getWeights().slice(1)]);
  first.dispose();
  models.push(model);
  return model;
}

trainableEstimatorSuite("a TensorFlow.js network", {
  make: () => tfjsEstimator({ tf, model: network() }),
  proximal: false,
});

describe("tfjsEstimator()", { timeout: 20_000 }, () => {
  const plan = { epochs: 2, batchSize: 16, optimizer: { kind: "adam", learningRate: 0.01 } } as const;

  it("leaks no tensors in any call, whether it succeeds, fails, or is aborted", async () => {
    const model = network();
    await using estimator = tfjsEstimator({ tf, model });
    const samples = separable(50);
    const round = async (): Promise<void> => {
      await estimator.setWeights(await estimator.getWeights());
      await estimator.train(samples, { plan });
      await estimator.train(samples, {
        plan: { ...plan, optimizer: { kind: "sgd", learningRate: 0.01, momentum: 0.9 } },
      });
      await estimator.train(samples, { plan: { ...plan, optimizer: { kind: "sgd", learningRate: 0.01 } } });
      await estimator.evaluate(samples);
      await estimator.predict(new Float32Array(WIDTH));
      await estimator.save();
      const controller = new AbortController();
      await estimator
        .train(samples, {
          plan: { ...plan, epochs: 1000 },
          signal: controller.signal,
          onProgress: ({ phase }) => phase === "training" && controller.abort(new Error("left")),
        })
        .catch(() => undefined);
      await estimator
        .train(samples, { plan: { ...plan, optimizer: { kind: "sgd", learningRate: 1e38 } } })
        .catch(() => undefined);
      const weights = await estimator.getWeights();
      await estimator
        .setWeights(weights.map((one, i) => (i === 1 ? { ...one, shape: [1] } : one)))
        .catch(() => undefined);
      // Runs after the aborted training has ended.
      await estimator.setWeights(weights);
    };
    await round();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) await round();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("saves its weights by their names", async () => {
    const model = network();
    await using estimator = tfjsEstimator({ tf, model });
    const { tensors } = readSafetensors(await estimator.save());
    const weights = await estimator.getWeights();
    expect(model.weights.map(({ name }) => tensors[name])).toEqual(weights);
  });

  it("trains a convolution on images", async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [3, 3, 1], activation: "relu" }),
        layers.flatten(),
        layers.dense({ units: 2, activation: "softmax" }),
      ],
    });
    models.push(model);
    await using estimator = tfjsEstimator({ tf, model });
    const pictures = Array.from({ length: 40 }, (_, i) => ({
      label: i % 2,
      sample: {
        dtype: "float32",
        shape: [3, 3, 1],
        data: Float32Array.from({ length: 9 }, (_, p) => ((i % 2 === 0) === p < 4 ? 1 : 0)),
      } as const,
    }));
    const samples = {
      version: "pictures",
      async *[Symbol.asyncIterator]() {
        yield* pictures;
      },
    };
    const report = await estimator.train(samples, { plan: { ...plan, epochs: 30 } });
    expect(report.accuracy).toBe(1);
    expect(await estimator.load()).toMatchObject({
      backend: "cpu",
      inputs: [{ shape: [-1, 3, 3, 1] }],
      outputs: [{ shape: [-1, 2] }],
    });
  });

  it("returns the previous weights while it trains", async () => {
    await using estimator = tfjsEstimator({ tf, model: network() });
    const before = await estimator.getWeights();
    const seen: unknown[] = [];
    await estimator.train(separable(30), {
      plan,
      onProgress: ({ phase }) => void (phase === "training" && seen.push(estimator.getWeights())),
    });
    expect(await Promise.all(seen)).toEqual([before, before]);
    expect(await estimator.getWeights()).not.toEqual(before);
  });

  it("rejects l2 and models that are not classifiers", async () => {
    await using estimator = tfjsEstimator({ tf, model: network() });
    await expect(estimator.train(separable(3), { plan: { ...plan, l2: 0.1 } })).rejects.toThrow(
      "expected l2 0; got 0.1. Give the layers a kernelRegularizer",
    );
    const open = sequential({ layers: [layers.dense({ units: 2, inputShape: [null, 4] })] });
    models.push(open);
    expect(() => tfjsEstimator({ tf, model: open })).toThrow(
      "expected a model with one input of a known shape and one output [n, classes]; got inputs [n,n,4] and outputs [n,n,2]",
    );
  });
});
