import type { PerceptionBackend } from "../perception-kernels.ts";
import type { CheckedImageScores } from "../image-scores.ts";
import * as plain from "../reference/hard-examples.ts";
import * as module from "./hard-examples.ts";
import type { PerceptionMemory } from "./perception-exports.ts";

/**
 * Minimum number of scores for which a batch of each hard example filter runs in the module. Smaller batches
 * are cheaper in plain TypeScript. For `ibt` and `threshold`, each image counts as five additional scores.
 */
export interface MinScores {
  readonly ibt: number;
  readonly threshold: number;
  readonly crossEntropy: number;
}

/**
 * Measured as in `bench/kernels/hem-crossover.ts`: whole calls with their checks, the medians of the ratios
 * of 11 rounds, in Node 20 on x86-64 (Zen 5). The two cost the same at 16 images of 1 score, 10 of 5 and 4 of
 * 20, and at about 25 probabilities of `crossEntropy`, whose logarithms make TypeScript dear.
 */
export const minScores: MinScores = { ibt: 100, threshold: 100, crossEntropy: 25 };

/** Cost of an image in TypeScript, in addition to its scores: a view. */
const SCORES_AN_IMAGE = 5;

/** Minimum sizes that send every batch through the module. */
export const noMinScores: MinScores = { ibt: 0, threshold: 0, crossEntropy: 0 };

/**
 * Creates the hard example filters. Each batch is computed where it costs less. The results are the same;
 * `confidences` differ within their tolerance.
 */
export function filtersBySize(
  memory: PerceptionMemory,
  least: MinScores,
): Pick<PerceptionBackend, keyof MinScores> {
  return {
    ibt(call) {
      if (sizeOf(call) < least.ibt) plain.ibt(call);
      else module.ibt(memory, call);
    },
    threshold(call) {
      if (sizeOf(call) < least.threshold) plain.threshold(call);
      else module.threshold(memory, call);
    },
    crossEntropy(call) {
      if (call.probabilities.length < least.crossEntropy) plain.crossEntropy(call);
      else module.crossEntropy(memory, call);
    },
  };
}

function sizeOf({ offsets, out }: CheckedImageScores): number {
  return offsets.at(-1)! - offsets[0]! + SCORES_AN_IMAGE * out.length;
}
