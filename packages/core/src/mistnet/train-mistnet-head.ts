import type { Head, HeadOptimizer, HeadTrainer, TrainingKernels } from "@sedna-js/wasm-kernels";
import type { MistnetRecords } from "../wire/mistnet.ts";

/** Training settings of {@link trainMistnetHead}. */
export interface MistnetTraining {
  /** Maximum number of epochs; fewer are used if more would fit the noise. Default 30. */
  readonly epochs?: number;
  /** Number of records per batch. Default 200. */
  readonly batchSize?: number;
  /** Optimizer. Default Adam with a learning rate of 0.003. */
  readonly optimizer?: HeadOptimizer;
  readonly seed?: number;
}

/** Bias of a class without records, so that it is not predicted. */
const ABSENT = -30;
/** One in `JUDGES` records is used to select the number of epochs. */
const JUDGES = 5;

/** Samples in the format of the kernels. */
interface Samples {
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
}

/** Options of {@link trainMistnetHead}. */
interface TrainMistnetHeadOptions {
  readonly head: Head;
  readonly kernels: TrainingKernels;
  readonly training?: MistnetTraining;
}

/**
 * Returns the flat parameters of a head trained on private records, with their labels as received. A softmax
 * starts from the mean of each class, which noise of mean 0 does not shift; each further epoch fits the
 * classes better, but also the noise. A fifth of the records selects the number of epochs: the smallest
 * number that is as good as the best, which is 0 with much noise. docs/mistnet.md has the measurements,
 * including de-biased labels, which brought no gain.
 * @returns Parameters in the layout of `headLayout`.
 * @throws {RangeError} If there are no records.
 */
export function trainMistnetHead(
  records: readonly MistnetRecords[],
  { head, kernels, training = {} }: TrainMistnetHeadOptions,
): Float32Array {
  const {
    epochs: most = 30,
    batchSize = 200,
    optimizer = { kind: "adam", learningRate: 0.003 },
    seed = 0,
  } = training;
  const all = joined(records, head.features);
  if (all.labels.length === 0) throw new RangeError("train a head: expected records; got none");
  const open = (data: Samples) =>
    kernels.headTrainer({
      head,
      ...data,
      batchSize,
      optimizer,
      seed,
      ...(head.kind === "softmax" && { weights: fromMeans(data, head) }),
    });
  const epochs = epochsFor(all, { head, most, open });
  using trainer = open(all);
  for (let epoch = 0; epoch < epochs; epoch++) trainer.epoch();
  return trainer.weights();
}

/** Options of {@link epochsFor}. */
interface EpochsForOptions {
  readonly head: Head;
  readonly most: number;
  readonly open: (data: Samples) => HeadTrainer;
}

/**
 * Returns the smallest number of epochs that is as good as the best, to one standard error. Trains on four
 * fifths of the records and evaluates on the rest.
 */
function epochsFor(all: Samples, { head, most, open }: EpochsForOptions): number {
  const [others, judges] = [
    pick(all, { width: head.features, isIn: (i) => i % JUDGES !== 0 }),
    pick(all, { width: head.features, isIn: (i) => i % JUDGES === 0 }),
  ];
  if (others.labels.length === 0) return most;
  using trainer = open(others);
  const shares: number[] = [];
  for (let epoch = 0; epoch <= most; epoch++) {
    if (epoch > 0) trainer.epoch();
    const answers = trainer.predict(judges.samples);
    shares.push(
      judges.labels.reduce(
        (right, label, i) =>
          right + (topOf(answers.subarray(i * head.classes, (i + 1) * head.classes)) === label ? 1 : 0),
        0,
      ) / judges.labels.length,
    );
  }
  // An MLP has learned nothing before its first epoch.
  const least = head.kind === "softmax" ? 0 : Math.min(1, most);
  const best = Math.max(...shares.slice(least));
  const error = Math.sqrt((best * (1 - best)) / judges.labels.length);
  return shares.findIndex((share, epoch) => epoch >= least && share >= best - error);
}

const topOf = (row: Float32Array): number => row.indexOf(Math.max(...row));

function pick(
  { samples, labels }: Samples,
  { width, isIn }: { readonly width: number; readonly isIn: (index: number) => boolean },
): Samples {
  const indices = Array.from(labels.keys()).filter(isIn);
  const picked = new Float32Array(indices.length * width);
  for (const [to, from] of indices.entries())
    picked.set(samples.subarray(from * width, (from + 1) * width), to * width);
  return { samples: picked, labels: Uint32Array.from(indices, (i) => labels[i]!) };
}

function joined(records: readonly MistnetRecords[], width: number): Samples {
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

/**
 * Returns the softmax that is optimal if classes are Gaussians of equal variance around their means, noise
 * included.
 */
function fromMeans(
  { samples, labels }: Samples,
  { features: width, classes }: Pick<Head, "features" | "classes">,
): Float32Array {
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
  const norms = Array.from(counts, (_, label) =>
    means.subarray(label * width, (label + 1) * width).reduce((sum, value) => sum + value * value, 0),
  );
  // Sum of squares around the means, over all numbers.
  const within = squares - norms.reduce((sum, norm, label) => sum + norm * counts[label]!, 0);
  const variance = Math.max(within / samples.length, 1e-6);
  return Float32Array.from({ length: classes * (width + 1) }, (_, i) =>
    i < classes * width
      ? means[i]! / variance
      : counts[i - classes * width] === 0
        ? ABSENT
        : -norms[i - classes * width]! / (2 * variance),
  );
}
