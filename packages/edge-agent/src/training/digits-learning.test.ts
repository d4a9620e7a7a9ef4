import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { classifier, type LabeledSample, type Tensor } from "@sedna-js/core";
import { readSafetensors } from "@sedna-js/core/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileBytes } from "../storage/file-bytes.node.ts";
import { onnxEstimator } from "../onnx/onnx-estimator.ts";
import { cutOnnx } from "./cut-onnx.ts";
import { createFeatureCache } from "./feature-cache.ts";
import { headEstimator } from "./head-estimator.ts";
import { labeledSamples } from "./labeled-samples.ts";

const SIDE = 28;
const file = (path: string): URL => new URL(`../../../../models/${path}`, import.meta.url);
const model = file("digits-little/model.onnx");
/** Inner values of the model: its image pooled to 14x14, and the 16 activations before its last layer. */
const [POOLED, PENULTIMATE] = ["/0/0.1/Flatten_output_0", "/0/0.3/Relu_output_0"];

const data: { train: LabeledSample<Tensor>[]; test: LabeledSample<Tensor>[]; folder: string } = {
  train: [],
  test: [],
  folder: "",
};
beforeAll(async () => {
  const images = gunzipSync(await readFile(file("digits/mnist10k-images-idx3-ubyte.gz"))).subarray(16);
  const labels = gunzipSync(await readFile(file("digits/mnist10k-labels-idx1-ubyte.gz"))).subarray(8);
  const digit = (i: number): LabeledSample<Tensor> => ({
    label: labels[i]!,
    sample: {
      dtype: "float32",
      shape: [1, SIDE, SIDE],
      data: Float32Array.from(
        images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE),
        (value) => value / 255,
      ),
    },
  });
  data.train = Array.from({ length: 2000 }, (_, i) => digit(i));
  data.test = Array.from({ length: 1000 }, (_, i) => digit(9000 + i));
  data.folder = await mkdtemp(join(tmpdir(), "sedna-digits-"));
});
afterAll(() => rm(data.folder, { recursive: true }));
const train = () => labeledSamples(data.train, { version: "train" });
const test = () => labeledSamples(data.test, { version: "test" });

describe("headEstimator() on real digits", { timeout: 60_000 }, () => {
  it("learns from the pooled images inside a model as well as a softmax can", async () => {
    await using estimator = headEstimator({
      features: { model, task: classifier(), output: POOLED },
      head: { kind: "softmax", features: 196, classes: 10 },
    });
    expect(await estimator.load()).toMatchObject({
      kind: "tensors",
      backend: "cpu",
      inputs: [{ name: "image" }],
      outputs: [{ name: "probabilities", shape: [-1, 10] }],
    });
    const report = await estimator.train(train());
    expect(report).toMatchObject({ numSamples: 2000, epochs: 5 });
    const { accuracy } = await estimator.evaluate(test());
    expect(accuracy).toBeGreaterThan(0.86);
    expect(await estimator.evaluate(test())).toMatchObject({ accuracy, samples: 1000 });
  });

  it("learns from a classifier's penultimate layer, and its saved ONNX file returns the same results", async () => {
    await using estimator = headEstimator({
      features: { model, task: classifier(), output: PENULTIMATE },
      head: { kind: "mlp", features: 16, hidden: 12, classes: 10 },
      format: "onnx",
      labels: [..."0123456789"],
    });
    await estimator.train(train(), {
      plan: { epochs: 3, batchSize: 32, optimizer: { kind: "adam", learningRate: 0.01 } },
    });
    expect((await estimator.evaluate(test()))["accuracy"]).toBeGreaterThan(0.85);
    await using features = onnxEstimator({
      model: cutOnnx(await readFile(model), PENULTIMATE),
      task: classifier(),
    });
    await using saved = onnxEstimator({ model: await estimator.save(), task: classifier() });
    for (const { sample } of data.test.slice(0, 20)) {
      const here = await estimator.predict(sample);
      const there = await saved.predict({
        dtype: "float32",
        shape: [16],
        data: await features.predict(sample),
      });
      for (const [i, value] of here.entries()) expect(there[i]).toBeCloseTo(value, 5);
    }
  });

  it("extracts features once, reuses them in the next process, and hashes a version once per process", async () => {
    const directory = join(data.folder, "features");
    const runs = { made: 0, hashed: 0 };
    const learn = async (): Promise<Float32Array> => {
      const inner = onnxEstimator({ model: cutOnnx(await readFile(model), PENULTIMATE), task: classifier() });
      const features = {
        ...inner,
        predictBatch: (samples: readonly Tensor[], options?: object) => (
          (runs.made += samples.length),
          inner.predictBatch!(samples, options)
        ),
      };
      const cache = createFeatureCache({
        store: fileBytes({ directory }),
        model: `digits-little ${PENULTIMATE}`,
        maxBytes: 2 ** 20,
      });
      const counting = { ...cache, keyOf: (sample: unknown) => (runs.hashed++, cache.keyOf(sample)) };
      await using estimator = headEstimator<Tensor>({
        features,
        head: { kind: "softmax", features: 16, classes: 10 },
        cache: counting,
      });
      await estimator.train(train());
      await estimator.train(train());
      await inner.dispose();
      return (await estimator.getWeights())[0]!.data as Float32Array;
    };
    const first = await learn();
    expect(runs).toEqual({ made: 2000, hashed: 2000 });
    const second = await learn();
    expect(runs).toEqual({ made: 2000, hashed: 4000 });
    expect(second).toEqual(first);
  });

  it("starts from stored weights", async () => {
    const head = { kind: "softmax", features: 196, classes: 10 } as const;
    const features = { model, task: classifier(), output: POOLED };
    await using first = headEstimator({ features, head });
    await first.train(train());
    await using second = headEstimator({
      features,
      head,
      weights: readSafetensors(await first.save()).tensors,
    });
    expect(await second.getWeights()).toEqual(await first.getWeights());
    expect(await second.evaluate(test())).toEqual(await first.evaluate(test()));
  });

  it("reports the memory limit that the features exceed", async () => {
    await using estimator = headEstimator({
      features: { model, task: classifier(), output: POOLED },
      head: { kind: "softmax", features: 196, classes: 10 },
      maxFeatureBytes: 1000 * 197 * 4,
    });
    await expect(estimator.train(train())).rejects.toThrow(
      "read labeled samples: expected at most 1000 of 196 features, which take 788000 bytes; got more. Raise maxFeatureBytes",
    );
    await estimator.train(labeledSamples(data.train.slice(0, 1000), { version: "fits" }));
  });

  it("lists the values at which a model can be cut", async () => {
    await using estimator = headEstimator({
      features: { model, task: classifier(), output: "relu" },
      head: { kind: "softmax", features: 16, classes: 10 },
    });
    await expect(estimator.load()).rejects.toThrow(
      /expected one of its values .*\/0\/0.3\/Relu_output_0, .*; got relu/,
    );
    await expect(estimator.predict(data.test[0]!.sample)).rejects.toThrow(RangeError);
  });

  it("rejects features of another width than the head's", async () => {
    await using estimator = headEstimator({
      features: { model, task: classifier(), output: PENULTIMATE },
      head: { kind: "softmax", features: 17, classes: 10 },
    });
    await expect(estimator.train(train())).rejects.toThrow(
      "extract features: expected 17 float32 numbers; got 16",
    );
  });
});
