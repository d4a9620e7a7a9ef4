import { headLayers, parameterCount, type HeadLayer } from "../head.ts";
import type { HeadStore, HeadVector } from "../head-trainer.ts";
import type { HeadTraining } from "../head-training.ts";

/**
 * Reference implementation of head training: one sample at a time, in f64. Values that are kept between steps
 * are f32.
 */
export function referenceHeadStore(training: HeadTraining): HeadStore {
  const { head, batchSize } = training;
  const classWeights = training.classWeights.slice();
  const samples = training.samples.slice();
  const labels = training.labels.slice();
  const layers = headLayers(head);
  const size = parameterCount(head);
  const kept: Record<HeadVector, Float32Array> = {
    weights: new Float32Array(size),
    first: new Float32Array(size),
    second: new Float32Array(size),
    anchor: new Float32Array(size),
  };
  const sample = (from: Float32Array, index: number) =>
    from.subarray(index * head.features, (index + 1) * head.features);

  return {
    read: (vector) => kept[vector].slice(),
    write: (vector, values) => kept[vector].set(values),
    epoch({ order, steps }) {
      const sums = { loss: 0, weight: 0, correct: 0 };
      for (let first = 0; first < order.length; first += batchSize) {
        const batch = order.subarray(first, first + batchSize);
        const total = batch.reduce((sum, index) => sum + classWeights[labels[index]!]!, 0);
        const gradient = penaltyGradient(training, { layers, kept });
        for (const index of batch) {
          const label = labels[index]!;
          const weight = classWeights[label]!;
          const activations = forward(kept.weights, { layers, inputs: sample(samples, index) });
          const { probabilities, logSum } = softmax(activations.at(-1)!);
          sums.loss += weight * (logSum - activations.at(-1)![label]!);
          sums.correct += probabilities.indexOf(Math.max(...probabilities)) === label ? 1 : 0;
          const share = total > 0 ? weight / total : 0;
          const errors = probabilities.map((p, c) => (p - (c === label ? 1 : 0)) * share);
          addGradient(gradient, { weights: kept.weights, layers, activations, errors });
        }
        sums.weight += total;
        steps += 1;
        move(training, { kept, gradient, steps });
      }
      return sums;
    },
    predict(given) {
      const count = given.length / head.features;
      const rows = Array.from(
        { length: count },
        (_, i) => softmax(forward(kept.weights, { layers, inputs: sample(given, i) }).at(-1)!).probabilities,
      );
      return Float32Array.from(rows.flat());
    },
    dispose() {},
  };
}

/** Returns the inputs of each layer, followed by the logits. */
function forward(
  weights: Float32Array,
  { layers, inputs }: { readonly layers: readonly HeadLayer[]; readonly inputs: Float32Array },
): number[][] {
  const activations = [[...inputs]];
  for (const [i, layer] of layers.entries()) {
    const before = activations.at(-1)!;
    const outputs: number[] = [];
    for (let o = 0; o < layer.outputs; o++) {
      let sum = weights[layer.biases + o]!;
      for (let k = 0; k < layer.inputs; k++)
        sum += weights[layer.weights + o * layer.inputs + k]! * before[k]!;
      outputs.push(i < layers.length - 1 ? Math.max(sum, 0) : sum);
    }
    activations.push(outputs);
  }
  return activations;
}

function softmax(logits: readonly number[]): { probabilities: number[]; logSum: number } {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { probabilities: weights.map((weight) => weight / sum), logSum: largest + Math.log(sum) };
}

interface Backward {
  readonly weights: Float32Array;
  readonly layers: readonly HeadLayer[];
  readonly activations: readonly (readonly number[])[];
  readonly errors: readonly number[];
}

/** Adds the gradient of one sample, from the last layer to the first. */
function addGradient(gradient: Float64Array, { weights, layers, activations, errors }: Backward): void {
  let above = errors;
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i]!;
    const inputs = activations[i]!;
    const below = Array<number>(layer.inputs).fill(0);
    for (let o = 0; o < layer.outputs; o++) {
      const error = above[o]!;
      for (let k = 0; k < layer.inputs; k++) {
        gradient[layer.weights + o * layer.inputs + k]! += error * inputs[k]!;
        below[k]! += error * weights[layer.weights + o * layer.inputs + k]!;
      }
      gradient[layer.biases + o]! += error;
    }
    above = below.map((error, k) => (inputs[k]! > 0 ? error : 0));
  }
}

type Kept = Readonly<Record<HeadVector, Float32Array>>;

function penaltyGradient(
  { l2, proximal }: HeadTraining,
  { layers, kept }: { readonly layers: readonly HeadLayer[]; readonly kept: Kept },
): Float64Array {
  const gradient = Float64Array.from(kept.weights, (weight, i) =>
    proximal > 0 ? proximal * (weight - kept.anchor[i]!) : 0,
  );
  for (const { weights, biases } of layers)
    for (let i = weights; i < biases; i++) gradient[i]! += l2 * kept.weights[i]!;
  return gradient;
}

/** Options of {@link move}. */
interface MoveOptions {
  readonly kept: Kept;
  readonly gradient: Float64Array;
  readonly steps: number;
}

/** Performs one step of the optimizer. `steps` is the number of the step, starting at 1. */
function move(
  { optimizer }: HeadTraining,
  { kept: { weights, first, second }, gradient, steps }: MoveOptions,
): void {
  const { learningRate } = optimizer;
  for (const [i, slope] of gradient.entries()) {
    if (optimizer.kind === "sgd") {
      first[i] = optimizer.momentum * first[i]! + slope;
      weights[i]! -= learningRate * first[i]!;
    } else {
      const { beta1, beta2, epsilon } = optimizer;
      first[i] = beta1 * first[i]! + (1 - beta1) * slope;
      second[i] = beta2 * second[i]! + (1 - beta2) * slope ** 2;
      const mean = first[i]! / (1 - beta1 ** steps);
      const square = second[i]! / (1 - beta2 ** steps);
      weights[i]! -= (learningRate * mean) / (Math.sqrt(square) + epsilon);
    }
  }
}
