import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parameterCount, type Head } from "./head.ts";
import { clusters } from "./head-trainer.suite.ts";
import type { HeadTrainerOptions } from "./head-training.ts";
import { loadTrainingKernels } from "./load-training-kernels.ts";
import { referenceTrainingKernels } from "./reference/reference-training-kernels.ts";
import { seededRandom } from "../module/seeded-random.ts";
import type { TrainingKernels } from "./training-kernels.ts";

const slow = referenceTrainingKernels();
let fast: TrainingKernels;
beforeAll(async () => {
  fast = await loadTrainingKernels({ backend: "wasm" });
});
afterAll(() => fast.dispose());

/** Returns the largest difference, relative to the largest expected value. */
function worst(got: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest;
}

/** Returns the largest differences of the parameters, losses, and probabilities after five epochs. */
function compare(options: HeadTrainerOptions): { parameters: number; losses: number; probabilities: number } {
  using a = fast.headTrainer(options);
  using b = slow.headTrainer(options);
  let losses = 0;
  for (let i = 0; i < 5; i++) {
    const [got, expected] = [a.epoch(), b.epoch()];
    losses = Math.max(losses, Math.abs(got.loss - expected.loss) / Math.max(expected.loss, 0.01));
    expect(Math.abs(got.accuracy - expected.accuracy) * expected.samples).toBeLessThan(1.5);
  }
  return {
    parameters: worst(a.weights(), b.weights()),
    losses,
    probabilities: worst(a.predict(options.samples), b.predict(options.samples)),
  };
}

const heads: Head[] = [1, 3, 4, 5, 1003].flatMap((features) =>
  [2, 3, 5].flatMap((classes): Head[] => [
    { kind: "softmax", features, classes },
    ...[1, 4, 7].map((hidden): Head => ({ kind: "mlp", features, hidden, classes })),
  ]),
);
const optimizers: [string, Partial<HeadTrainerOptions>][] = [
  ["SGD", { optimizer: { kind: "sgd", learningRate: 0.02 } }],
  [
    "momentum, l2 and class weights",
    { optimizer: { kind: "sgd", learningRate: 0.01, momentum: 0.9 }, l2: 0.1 },
  ],
  ["Adam and FedProx", { optimizer: { kind: "adam", learningRate: 0.005 }, proximal: 0.1 }],
];

describe.each(optimizers)("the WebAssembly and reference head trainers: %s", (name, options) => {
  it.each(heads)("$kind, $features features, $hidden hidden units, $classes classes", (head) => {
    // Batches with and without a remainder, with fewer than four samples, and larger than all samples.
    for (const [count, batchSize] of [
      [61, 8],
      [30, 7],
      [9, 2],
      [5, 32],
    ] as const) {
      const classWeights = name.includes("class")
        ? { classWeights: Float32Array.from({ length: head.classes }, (_, i) => 1 + i) }
        : {};
      // Start neither from zeros nor from certain predictions: if a gradient is 0 except for rounding, Adam
      // turns the rounding error into a step.
      const random = seededRandom({ seed: count, stream: 1 });
      const weights = Float32Array.from(
        { length: parameterCount(head) },
        () => (random() - 0.5) / Math.sqrt(head.features),
      );
      const errors = compare({
        head,
        ...clusters({ head, count, noise: 1 }),
        weights,
        ...options,
        ...classWeights,
        batchSize,
      });
      expect(errors.parameters).toBeLessThan(3e-5);
      expect(errors.losses).toBeLessThan(3e-5);
      expect(errors.probabilities).toBeLessThan(3e-5);
    }
  });
});
