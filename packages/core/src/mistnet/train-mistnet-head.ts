import type { Head, HeadOptimizer, TrainingKernels } from "@sedna-js/wasm-kernels";
import type { MistnetRecords } from "../wire/mistnet.ts";

/** How {@link trainMistnetHead} trains on after its start. */
export interface MistnetTraining {
  /** Default 5; with much noise more of them learn the noise. */
  readonly epochs?: number;
  /** Default 200. */
  readonly batchSize?: number;
  /** Default Adam with a learning rate of 0.001. */
  readonly optimizer?: HeadOptimizer;
  readonly seed?: number;
}

/** Turns a class that nobody answered into one that is not chosen. */
const ABSENT = -30;

/**
 * The flat parameters of a head trained on private records, with the labels as they were answered. A softmax starts
 * from the mean of each class, which noise of mean 0 leaves where it is; from zeros it learns the noise of so few samples.
 * docs/mistnet.md has what was measured, and what de-biased labels brought: nothing.
 * @returns parameters in the layout of `headLayout`. @throws {RangeError} without records.
 */
export function trainMistnetHead(records: readonly MistnetRecords[], { head, kernels, training = {} }: { readonly head: Head; readonly kernels: TrainingKernels; readonly training?: MistnetTraining }): Float32Array {
  const { epochs = 5, batchSize = 200, optimizer = { kind: "adam", learningRate: 0.001 }, seed = 0 } = training;
  const { samples, labels } = joined(records, head.features);
  if (labels.length === 0) throw new RangeError("train a head: expected records; got none");
  using trainer = kernels.headTrainer({ head, samples, labels, batchSize, optimizer, seed, ...(head.kind === "softmax" && { weights: fromMeans({ samples, labels, ...head }) }) });
  for (let epoch = 0; epoch < epochs; epoch++) trainer.epoch();
  return trainer.weights();
}

function joined(records: readonly MistnetRecords[], width: number): { readonly samples: Float32Array; readonly labels: Uint32Array } {
  const count = records.reduce((sum, { labels }) => sum + labels.length, 0);
  const [samples, labels] = [new Float32Array(count * width), new Uint32Array(count)];
  let next = 0;
  for (const one of records) {
    samples.set(one.features, next * width);
    labels.set(one.labels, next);
    next += one.labels.length;
  }
  return { samples, labels };
}

/** The softmax that is right for classes which are Gaussians of one variance around their means: noise and all. */
function fromMeans({ samples, labels, features: width, classes }: { readonly samples: Float32Array; readonly labels: Uint32Array; readonly features: number; readonly classes: number }): Float32Array {
  const means = new Float64Array(classes * width);
  const counts = new Float64Array(classes);
  let squares = 0;
  for (const [i, label] of labels.entries()) {
    counts[label]!++;
    for (let j = 0; j < width; j++) {
      const value = samples[i * width + j]!;
      means[label * width + j]! += value;
      squares += value * value;
    }
  }
  for (let i = 0; i < means.length; i++) means[i]! /= Math.max(1, counts[Math.floor(i / width)]!);
  const norms = Array.from(counts, (_, label) => means.subarray(label * width, (label + 1) * width).reduce((sum, value) => sum + value * value, 0));
  // Sum of squares around the means, over all numbers.
  const within = squares - norms.reduce((sum, norm, label) => sum + norm * counts[label]!, 0);
  const variance = Math.max(within / samples.length, 1e-6);
  return Float32Array.from({ length: classes * (width + 1) }, (_, i) => (i < classes * width ? means[i]! / variance : counts[i - classes * width] === 0 ? ABSENT : -norms[i - classes * width]! / (2 * variance)));
}
