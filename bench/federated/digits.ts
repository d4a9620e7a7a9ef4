import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { averagePool, dirichletSplit } from "@sedna-js/core/datasets";
import {
  seededRandom,
  type Head,
  type HeadOptimizer,
  type HeadTrainer,
  type TrainingKernels,
} from "@sedna-js/wasm-kernels";

// The task of the federated benchmarks: digits of MNIST, a softmax on their 14 x 14 pooled pixels. Frozen
// features that know no labels, so that all that is learned is learned in the federation.

const SIDE = 28;
const TRAINED_ON = 8000;

/** What all of them train. */
export const digitsHead = { kind: "softmax", features: 196, classes: 10 } as const satisfies Head;

/** Features and labels as the training kernels take them. */
export interface LabelledFeatures {
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
}

/** The digits of a federation. */
export interface FederatedDigits {
  /** Of each client its own; a client may have none. */
  readonly shares: readonly LabelledFeatures[];
  /** All of them in one place. */
  readonly all: LabelledFeatures;
  /** 2,000 that nobody trains on. */
  readonly heldOut: LabelledFeatures;
}

/** 8,000 digits dealt out to clients, the lower alpha the more unlike each other. */
export async function federatedDigits({
  clients,
  alpha,
  seed,
}: {
  readonly clients: number;
  readonly alpha: number;
  readonly seed: number;
}): Promise<FederatedDigits> {
  const unzip = async (name: string): Promise<Uint8Array> =>
    gunzipSync(await readFile(new URL(`../../models/digits/${name}`, import.meta.url)));
  const features = averagePool((await unzip("mnist10k-images-idx3-ubyte.gz")).subarray(16), {
    width: SIDE,
    height: SIDE,
  });
  const truth = (await unzip("mnist10k-labels-idx1-ubyte.gz")).subarray(8);
  const take = (indices: readonly number[]): LabelledFeatures => {
    const samples = new Float32Array(indices.length * digitsHead.features);
    for (const [n, i] of indices.entries())
      samples.set(
        features.subarray(i * digitsHead.features, (i + 1) * digitsHead.features),
        n * digitsHead.features,
      );
    return { samples, labels: Uint32Array.from(indices, (i) => truth[i]!) };
  };
  const indices = Array.from(truth.keys());
  const split = dirichletSplit(truth.subarray(0, TRAINED_ON), {
    parts: clients,
    alpha,
    random: seededRandom({ seed, stream: 0 }),
  });
  return {
    shares: split.map(take),
    all: take(indices.slice(0, TRAINED_ON)),
    heldOut: take(indices.slice(TRAINED_ON)),
  };
}

/** The share of right answers. */
export function accuracyOf(trainer: HeadTrainer, { samples, labels }: LabelledFeatures): number {
  const { classes } = digitsHead;
  const answers = trainer.predict(samples);
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = answers.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  }
  return right / labels.length;
}

/** Accuracy on held-out digits after each epoch of training on all digits in one place. */
export function trainCentrally(
  kernels: TrainingKernels,
  {
    digits,
    epochs,
    optimizer,
  }: { readonly digits: FederatedDigits; readonly epochs: number; readonly optimizer: HeadOptimizer },
): number[] {
  using trainer = kernels.headTrainer({ head: digitsHead, ...digits.all, optimizer });
  return Array.from({ length: epochs }, () => {
    trainer.epoch();
    return accuracyOf(trainer, digits.heldOut);
  });
}
