import type { RandomBits } from "./random-bits.ts";

// A label tells itself with probability e^epsilon / (e^epsilon + k - 1), else one of the others:
// epsilon-differentially private, and no answer tells more. Source: Warner, "Randomized Response", 1965; for
// k labels: Kairouz et al., "Extremal Mechanisms for Local Differential Privacy", 2014.

/** Probabilities are multiples of this: a draw is a whole number below it. */
const DRAWS = 2 ** 53;

/** What answers are drawn from. */
export interface RandomizedResponse {
  /** Probability that an answer is the label itself. */
  readonly truth: number;
  /** Probability of each other label. */
  readonly lie: number;
}

/**
 * The probabilities for an epsilon and `classes` labels.
 * @throws {RangeError} on an epsilon that is not above 0, or fewer than 2 classes.
 */
export function randomizedResponse({
  epsilon,
  classes,
}: {
  readonly epsilon: number;
  readonly classes: number;
}): RandomizedResponse {
  if (!(epsilon > 0)) throw new RangeError(`answer at random: expected an epsilon above 0; got ${epsilon}`);
  if (!(Number.isInteger(classes) && classes >= 2))
    throw new RangeError(`answer at random: expected at least 2 classes; got ${classes}`);
  // Rounded down to what can be drawn, and never to 1: a label that can't be denied has no epsilon.
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

/** An answer for each label. @throws {RangeError} on a label that is no whole number below `classes`. */
export function randomizeLabels(
  labels: Uint32Array,
  { epsilon, classes, bits }: RandomizeLabelsOptions,
): Uint32Array {
  const { truth } = randomizedResponse({ epsilon, classes });
  return labels.map((label) => {
    if (label >= classes)
      throw new RangeError(`answer at random: expected labels below ${classes}; got ${label}`);
    if (bits.below(DRAWS) < truth * DRAWS) return label;
    const other = bits.below(classes - 1);
    return other < label ? other : other + 1;
  });
}

/**
 * How often each label is likely to be true, given how often each was answered: the unbiased estimate, with
 * its negative parts set to 0, scaled to the same total.
 */
export function estimateCounts(answered: readonly number[], { truth, lie }: RandomizedResponse): number[] {
  const total = answered.reduce((sum, count) => sum + count, 0);
  const raw = answered.map((count) => Math.max(0, (count - total * lie) / (truth - lie)));
  const sum = raw.reduce((whole, part) => whole + part, 0);
  return sum === 0 ? answered.map(() => total / answered.length) : raw.map((part) => (part * total) / sum);
}
