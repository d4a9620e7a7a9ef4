import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { classifier, createJointInference, hardExampleMining, type Tensor } from "@sedna-js/core";
import { localBigModel, onnxEstimator, type Estimator } from "@sedna-js/edge-agent";
import { quantile, type Figure } from "../result.ts";

const HELD_OUT = 2000;
const SIDE = 28;
const file = (path: string): URL => new URL(`../../models/${path}`, import.meta.url);

/** Returns the digits that no model was trained on, with their labels. */
export async function heldOutDigits(): Promise<{ samples: Tensor[]; labels: Uint8Array }> {
  const images = gunzipSync(await readFile(file("digits/mnist10k-images-idx3-ubyte.gz")))
    .subarray(16)
    .subarray(-HELD_OUT * SIDE * SIDE);
  const labels = gunzipSync(await readFile(file("digits/mnist10k-labels-idx1-ubyte.gz")))
    .subarray(8)
    .subarray(-HELD_OUT);
  const samples = Array.from(labels, (_, i): Tensor => ({
    dtype: "float32",
    shape: [1, SIDE, SIDE],
    data: Float32Array.from(images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), (value) => value / 255),
  }));
  return { samples, labels };
}

/** A point of the curve: the uploaded fraction and the accuracy of the results. */
export interface CascadePoint {
  readonly uploaded: number;
  readonly accuracy: number;
}

/** Runs the whole cascade through joint inference, at thresholds for about these uploaded fractions. */
export async function digitsCascade(
  shares: readonly number[],
): Promise<{ little: number; big: number; points: CascadePoint[] }> {
  const { samples, labels } = await heldOutDigits();
  const open = (name: string): Estimator<Tensor, Float32Array> =>
    onnxEstimator({ model: file(`${name}/model.onnx`), task: classifier() });
  const [little, big] = [open("digits-little"), open("digits-big")];
  const best = (answer: Float32Array): number => answer.indexOf(Math.max(...answer));
  const accuracy = (answers: readonly Float32Array[]): number =>
    answers.filter((answer, i) => best(answer) === labels[i]).length / labels.length;
  const all = async (estimator: Estimator<Tensor, Float32Array>): Promise<Float32Array[]> =>
    estimator.predictBatch!(samples);

  const [fromLittle, fromBig] = [await all(little), await all(big)];
  const margins = fromLittle.map((answer) => {
    const [first, second] = [...answer].toSorted((a, b) => b - a) as [number, number];
    return first - second;
  });
  const points: CascadePoint[] = [];
  for (const share of shares) {
    const threshold = share === 0 ? 0 : quantile(margins, share) + 1e-9;
    const joint = createJointInference<Tensor, Float32Array>({
      estimator: little,
      bigModel: localBigModel(big),
      hardExampleMining: hardExampleMining.Margin({ threshold }),
    });
    const answers: Float32Array[] = [];
    for (const sample of samples) answers.push((await joint.inference(sample)).result!);
    points.push({ uploaded: joint.status().uploadCloudRatio, accuracy: accuracy(answers) });
  }
  const result = { little: accuracy(fromLittle), big: accuracy(fromBig), points };
  await Promise.all([little.dispose(), big.dispose()]);
  return result;
}

/** Measures the accuracy on labeled digits with about a fifth of them uploaded. */
export async function benchDigits(): Promise<Figure[]> {
  const { little, big, points } = await digitsCascade([0.2]);
  const [{ uploaded, accuracy }] = points as [CascadePoint];
  return [
    { name: "digits", metric: "accuracy, little alone", value: little, unit: "share" },
    { name: "digits", metric: "accuracy, big alone", value: big, unit: "share" },
    { name: "digits", metric: "uploaded", value: uploaded, unit: "share" },
    {
      name: "digits",
      metric: "accuracy, joint",
      value: accuracy,
      unit: "share",
      peer: "random upload",
      ratio: accuracy / (little + uploaded * (big - little)),
    },
  ];
}
