import { messageOf } from "@sedna-js/core/errors";
import { classifier, onnxEstimator, type Estimator, type Tensor } from "@sedna-js/edge-agent";
import big from "../../models/digits-big/model.onnx?url";
import images from "../../models/digits/mnist10k-images-idx3-ubyte.gz?url";
import labels from "../../models/digits/mnist10k-labels-idx1-ubyte.gz?url";
import little from "../../models/digits-little/model.onnx?url";
import { readIdx } from "./idx.ts";

/**
 * The results of both models for each digit: the little model's confidence, and whether each model is right.
 */
export interface DigitResults {
  readonly confidence: Float32Array;
  readonly littleRight: Uint8Array;
  readonly bigRight: Uint8Array;
}

/** The models were trained on the first 8,000 digits. */
const HELD_OUT = 2000;
const SIDE = 28;
const bytes = async (url: string): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await (await fetch(new URL(url, self.location.href))).arrayBuffer());

async function answers(): Promise<DigitResults> {
  const [{ data: allPixels }, { data: allLabels }] = await Promise.all([
    bytes(images).then(readIdx),
    bytes(labels).then(readIdx),
  ]);
  const [pixels, truth] = [allPixels.subarray(-HELD_OUT * SIDE * SIDE), allLabels.subarray(-HELD_OUT)];
  const samples = Array.from(truth, (_, i): Tensor => {
    const one = pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
    return { dtype: "float32", shape: [1, SIDE, SIDE], data: Float32Array.from(one, (value) => value / 255) };
  });
  const [fromLittle, fromBig] = [await classify(little, samples), await classify(big, samples)];
  const right = (answer: Float32Array, i: number): number =>
    Number(answer.indexOf(Math.max(...answer)) === truth[i]);
  return {
    confidence: Float32Array.from(fromLittle, (one) => Math.max(...one)),
    littleRight: Uint8Array.from(fromLittle.map(right)),
    bigRight: Uint8Array.from(fromBig.map(right)),
  };
}

async function classify(model: string, samples: readonly Tensor[]): Promise<Float32Array[]> {
  const estimator: Estimator<Tensor, Float32Array> = onnxEstimator({
    model: new URL(model, self.location.href),
    task: classifier(),
    executionProviders: ["wasm"],
  });
  const results: Float32Array[] = [];
  for (let from = 0; from < samples.length; from += 100)
    results.push(...(await estimator.predictBatch!(samples.slice(from, from + 100))));
  await estimator.dispose();
  return results;
}

answers().then(
  (value) => self.postMessage(value),
  (error: unknown) => self.postMessage({ error: messageOf(error) }),
);
