import type { RandomBits } from "./random-bits.ts";

// A response is the true label with probability e^epsilon / (e^epsilon + k - 1), else one of the other
// labels: it is epsilon-differentially private, and no response reveals more. Source: Warner, "Randomized
// Response", 1965; for k labels: Kairouz et al., "Extremal Mechanisms for Local Differential Privacy", 2014.

/** Number of equally likely draws. Probabilities are multiples of its inverse. */
const DRAWS = 2 ** 53;

/** Probabilities of randomized response. */
export interface RandomizedResponse {
  /** Probability that a response is the true label. */
  readonly truth: number;
  /** Probability of each other label. */
  readonly lie: number;
}

/**
 * Returns the probabilities for an epsilon and `classes` labels.
 * @throws {RangeError} If `epsilon` is not above 0, or there are fewer than 2 classes.
 */
export function randomizedResponse({
  epsilon,
  classes,
}: {
  readonly epsilon: number;
  readonly classes: number;
}): RandomizedResponse {
  if (!(epsilon > 0)) throw new RangeError(`randomize labels: expected an epsilon above 0; got ${epsilon}`);
  if (!(Number.isInteger(classes) && classes >= 2))
    throw new RangeError(`randomize labels: expected at least 2 classes; got ${classes}`);
  // Round down to a probability that can be drawn, and never to 1: a label that cannot be denied has no
  // finite epsilon.
  const others = classes - 1;
  const truth = Math.floor((DRAWS - others) / (1 + others * Math.exp(-epsilon))) / DRAWS;
  return { truth, lie: (1 - truth) / others };
}

/** Options of {@link randomizeLabels}. */
interface RandomizeLabelsOptions {
  readonly epsilon: number;
  readonly classes: number;
  readonly bits: RandomBits;
}

/**
 * Returns a randomized response for each label.
 * @throws {RangeError} If a label is not below `classes`.
 */
export function randomizeLabels(
  labels: Uint32Array,
  { epsilon, classes, bits }: RandomizeLabelsOptions,
): Uint32Array {
  const { truth } = randomizedResponse({ epsilon, classes });
  return labels.map((label) => {
    if (label >= classes)
      throw new RangeError(`randomize labels: expected labels below ${classes}; got ${label}`);
    if (bits.below(DRAWS) < truth * DRAWS) return label;
    const other = bits.below(classes - 1);
    return other < label ? other : other + 1;
  });
}

/**
 * Estimates the true count of each label from the counts of responses: the unbiased estimate, with negative
 * values set to 0, scaled to the same total.
 */
export function estimateCounts(answered: readonly number[], { truth, lie }: RandomizedResponse): number[] {
  const total = answered.reduce((sum, count) => sum + count, 0);
  const raw = answered.map((count) => Math.max(0, (count - total * lie) / (truth - lie)));
  const sum = raw.reduce((whole, part) => whole + part, 0);
  return sum === 0 ? answered.map(() => total / answered.length) : raw.map((part) => (part * total) / sum);
}
