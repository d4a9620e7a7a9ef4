import type { Head, HeadOptimizer, HeadTrainer, TrainingKernels } from "@sedna-js/wasm-kernels";
import type { MistnetRecords } from "../wire/mistnet.ts";

/** How {@link trainMistnetHead} trains on after its start. */
export interface MistnetTraining {
  /** Most of them; fewer where more would learn the noise. Default 30. */
  readonly epochs?: number;
  /** Default 200. */
  readonly batchSize?: number;
  /** Default Adam with a learning rate of 0.003. */
  readonly optimizer?: HeadOptimizer;
  readonly seed?: number;
}

/** Turns a class that nobody answered into one that is not chosen. */
const ABSENT = -30;
/** One of so many records judges how long to train. */
const JUDGES = 5;

/** Samples as the kernels take them. */
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
 * The flat parameters of a head trained on private records, with the labels as they were answered. A softmax
 * starts from the mean of each class, which noise of mean 0 leaves where it is; each epoch after that fits
 * the classes better, and the noise too. How many are good is asked of a fifth of the records, and the fewest
 * that are as good as the best are taken: with much noise none. docs/mistnet.md has what was measured, and
 * what de-biased labels brought: nothing.
 * @returns parameters in the layout of `headLayout`. @throws {RangeError} without records.
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
 * The fewest epochs on the others that a fifth of the records finds as good as the best, to one standard
 * error.
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
  // Before its first epoch an MLP knows nothing.
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
 * The softmax that is right for classes which are Gaussians of one variance around their means: noise and
 * all.
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
