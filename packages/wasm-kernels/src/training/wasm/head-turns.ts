import type { HeadSums } from "../head-trainer.ts";

/**
 * Words of a `Turn`, a group of four samples, in `rust/src/head/train.rs`: four each of sample, label, share,
 * loss, and best class.
 */
export const GROUP_WORDS = 20;

/** Views of the turns as integers and as floats. */
export interface GroupViews {
  readonly words: Uint32Array;
  readonly floats: Float32Array;
}

/** Sample order, labels, and weights of an epoch. */
export interface EpochOrder {
  readonly order: Uint32Array;
  readonly labels: Uint32Array;
  readonly classWeights: Float32Array;
  readonly batchSize: number;
}

/**
 * Returns the number of turns, each of four samples, and the number of batches for `samples`. Each batch
 * starts with a new turn.
 */
export function groupPlan(
  samples: number,
  batchSize: number,
): { readonly batches: number; readonly turnsOfBatch: number; readonly turns: number } {
  const turnsOfBatch = Math.ceil(batchSize / 4);
  const full = Math.floor(samples / batchSize);
  return {
    batches: Math.ceil(samples / batchSize),
    turnsOfBatch,
    turns: full * turnsOfBatch + Math.ceil((samples - full * batchSize) / 4),
  };
}

/**
 * Returns the position in the turns at which the `i`-th sample of an epoch has its index. Its label is four
 * words further, and so on.
 */
function slotOf(i: number, batchSize: number): number {
  const batch = Math.floor(i / batchSize);
  const inBatch = i - batch * batchSize;
  return GROUP_WORDS * (batch * Math.ceil(batchSize / 4) + (inBatch >> 2)) + (inBatch & 3);
}

/** Writes the samples, labels, and shares of the turns of an epoch. */
export function writeGroups(
  { words, floats }: GroupViews,
  { order, labels, classWeights, batchSize }: EpochOrder,
): void {
  // If the last turn of a batch is not full, the rest is sample 0 with a share of 0.
  words.fill(0);
  for (let first = 0; first < order.length; first += batchSize) {
    const batch = order.subarray(first, first + batchSize);
    const total = batch.reduce((sum, index) => sum + classWeights[labels[index]!]!, 0);
    for (const [i, index] of batch.entries()) {
      const slot = slotOf(first + i, batchSize);
      const label = labels[index]!;
      words[slot] = index;
      words[slot + 4] = label;
      // If the batch has no weight, it has no loss, and only the penalties apply.
      floats[slot + 8] = total > 0 ? classWeights[label]! / total : 0;
    }
  }
}

/** Sums the results of the turns of an epoch. */
export function readGroups(
  { floats }: GroupViews,
  { order, labels, classWeights, batchSize }: EpochOrder,
): HeadSums {
  let loss = 0;
  let weight = 0;
  let correct = 0;
  for (const [i, index] of order.entries()) {
    const slot = slotOf(i, batchSize);
    const label = labels[index]!;
    loss += classWeights[label]! * floats[slot + 12]!;
    weight += classWeights[label]!;
    if (floats[slot + 16] === label) correct += 1;
  }
  return { loss, weight, correct };
}
