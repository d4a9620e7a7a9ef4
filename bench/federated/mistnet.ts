import { averagePool } from "@sedna-js/core/datasets";
import { privateRecords, recordPrivacy, trainMistnetHead } from "@sedna-js/core/mistnet";
import { randomBits } from "@sedna-js/core/privacy";
import type { MistnetPlan, MistnetRecords } from "@sedna-js/core/wire";
import { loadTrainingKernels, seededRandom, type TrainingKernels } from "@sedna-js/wasm-kernels";
import { federatedDigits, type LabeledFeatures } from "./digits.ts";
import type { Figure } from "../result.ts";

const EPSILONS = [1, 3, 10, 30, 100, 1000];
const SEEDS = [1, 2, 3];
const CLASSES = 10;

/** Ways to train a head from the records. */
const ways = {
  "from the means of the reported labels": (
    records: MistnetRecords,
    { head }: MistnetPlan,
    kernels: TrainingKernels,
  ) => trainMistnetHead([records], { head, kernels }),
  "10 epochs from zeros": (records: MistnetRecords, { head }: MistnetPlan, kernels: TrainingKernels) => {
    using trainer = kernels.headTrainer({
      head,
      samples: records.features,
      labels: records.labels,
      batchSize: 200,
      optimizer: { kind: "adam", learningRate: 0.003 },
    });
    for (let epoch = 0; epoch < 10; epoch++) trainer.epoch();
    return trainer.weights();
  },
  "labels re-estimated by the first head, then trained again": (
    records: MistnetRecords,
    plan: MistnetPlan,
    kernels: TrainingKernels,
  ) => trainMistnetHead([relabeled(records, { plan, kernels })], { head: plan.head, kernels }),
} as const;

/**
 * Measures the accuracy of MistNet's heads on held-out digits against epsilon: 8,000 digits, pooled pixels,
 * one record per digit.
 */
export async function benchMistnet(): Promise<Figure[]> {
  const digits = await federatedDigits({ clients: 1, alpha: 100, seed: 1 });
  const kernels = await loadTrainingKernels();
  const figures: Figure[] = [];
  for (const side of [7, 14]) {
    const [train, test] = [digits.all, digits.heldOut].map((one) => (side === 14 ? one : pooled(one)));
    for (const mechanism of ["laplace", "gaussian"] as const) {
      // The bounds follow from gray images of this size in general, not from these digits: half of the pixels
      // at a quarter of white.
      const bound = mechanism === "laplace" ? (side * side) / 8 : (side / 4) * Math.SQRT1_2;
      for (const epsilon of EPSILONS) {
        const plan: MistnetPlan = {
          protocol: 1,
          name: "digits",
          cutLayer: "pool",
          head: { kind: "softmax", features: side * side, classes: CLASSES },
          mechanism,
          epsilon,
          delta: mechanism === "gaussian" ? 1e-5 : 0,
          labelShare: 0.3,
          bound,
          maxRecords: 10_000,
        };
        const drawn = SEEDS.map((seed) =>
          privateRecords(
            { features: train!.samples, labels: train!.labels },
            { plan, bits: randomBits(repeatableBytes(seed)) },
          ),
        );
        for (const [way, make] of Object.entries(ways)) {
          const accuracies = drawn.map((records) =>
            accuracy(make(records, plan, kernels), { plan, test: test!, kernels }),
          );
          figures.push({
            name: "mistnet",
            metric: `${side} x ${side}, ${mechanism}, epsilon ${epsilon}, ${way}`,
            value: accuracies.reduce((sum, one) => sum + one, 0) / SEEDS.length,
            unit: "share right",
          });
        }
      }
    }
    const bare: MistnetPlan = {
      protocol: 1,
      name: "digits",
      cutLayer: "pool",
      head: { kind: "softmax", features: side * side, classes: CLASSES },
      mechanism: "laplace",
      epsilon: 1,
      delta: 0,
      labelShare: 0.3,
      bound: 1e6,
      maxRecords: 10_000,
    };
    figures.push({
      name: "mistnet",
      metric: `${side} x ${side}, no noise`,
      value: accuracy(
        trainMistnetHead([{ features: train!.samples, labels: train!.labels }], { head: bare.head, kernels }),
        { plan: bare, test: test!, kernels },
      ),
      unit: "share right",
    });
  }
  kernels.dispose();
  return figures;
}

/**
 * Returns a generator of bytes that are reproducible from a seed. Reproducible figures need no secret bytes.
 */
function repeatableBytes(seed: number): (bytes: Uint8Array) => void {
  const random = seededRandom({ seed, stream: 0 });
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = 256 * random();
  };
}

/** Pools 14 x 14 features to 7 x 7. */
function pooled({ samples, labels }: LabeledFeatures): LabeledFeatures {
  return {
    samples: averagePool(
      Uint8Array.from(samples, (value) => Math.round(255 * value)),
      { width: 14, height: 14 },
    ),
    labels,
  };
}

/**
 * Returns the records with the most likely labels, given the head's output and the probabilities of
 * randomized response.
 */
function relabeled(
  records: MistnetRecords,
  { plan, kernels }: { readonly plan: MistnetPlan; readonly kernels: TrainingKernels },
): MistnetRecords {
  const { truth, lie } = recordPrivacy(plan).response;
  using trainer = kernels.headTrainer({
    head: plan.head,
    samples: records.features,
    labels: records.labels,
    weights: trainMistnetHead([records], { head: plan.head, kernels }),
  });
  const answers = trainer.predict(records.features);
  const labels = records.labels.map((given, i) => {
    const row = Array.from(
      answers.subarray(i * CLASSES, (i + 1) * CLASSES),
      (share, label) => share * (label === given ? truth : lie),
    );
    return row.indexOf(Math.max(...row));
  });
  return { features: records.features, labels };
}

/** Returns the accuracy on digits without noise, as an edge has them, scaled as in the plan. */
function accuracy(
  weights: Float32Array,
  {
    plan,
    test,
    kernels,
  }: { readonly plan: MistnetPlan; readonly test: LabeledFeatures; readonly kernels: TrainingKernels },
): number {
  const { features: width } = plan.head;
  const samples = test.samples.slice();
  for (let i = 0; i < samples.length; i += width) {
    const row = samples.subarray(i, i + width);
    const norm =
      plan.mechanism === "laplace"
        ? row.reduce((sum, value) => sum + Math.abs(value), 0)
        : Math.hypot(...row);
    if (norm > plan.bound) for (let j = 0; j < width; j++) row[j]! *= plan.bound / norm;
  }
  using trainer = kernels.headTrainer({ head: plan.head, samples, labels: test.labels, weights });
  const answers = trainer.predict(samples);
  return (
    test.labels.reduce(
      (right, label, i) =>
        right +
        (answers
          .subarray(i * CLASSES, (i + 1) * CLASSES)
          .indexOf(Math.max(...answers.subarray(i * CLASSES, (i + 1) * CLASSES))) === label
          ? 1
          : 0),
      0,
    ) / test.labels.length
  );
}
