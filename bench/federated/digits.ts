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

// The task of the federated benchmarks: digits of MNIST, a softmax on their 14 x 14 pooled pixels. The
// features are frozen and contain no label information, so that everything is learned in the federation.

const SIDE = 28;
const TRAINED_ON = 8000;

/** The head that all clients train. */
export const digitsHead = { kind: "softmax", features: 196, classes: 10 } as const satisfies Head;

/** Features and labels in the form that the training kernels take. */
export interface LabeledFeatures {
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
}

/** The digits of a federation. */
export interface FederatedDigits {
  /** The digits of each client. A client may have none. */
  readonly shares: readonly LabeledFeatures[];
  /** The training digits of all clients. */
  readonly all: LabeledFeatures;
  /** The 2,000 digits that no client trains on. */
  readonly heldOut: LabeledFeatures;
}

/** Splits 8,000 digits among clients by a Dirichlet distribution. A lower alpha makes clients less alike. */
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
  const take = (indices: readonly number[]): LabeledFeatures => {
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

/** Returns the fraction of right predictions. */
export function accuracyOf(trainer: HeadTrainer, { samples, labels }: LabeledFeatures): number {
  const { classes } = digitsHead;
  const answers = trainer.predict(samples);
  let right = 0;
  for (const [i, label] of labels.entries()) {
    const row = answers.subarray(i * classes, (i + 1) * classes);
    if (row.indexOf(Math.max(...row)) === label) right++;
  }
  return right / labels.length;
}

/** Returns the accuracy on held-out digits after each epoch of central training on all digits. */
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
