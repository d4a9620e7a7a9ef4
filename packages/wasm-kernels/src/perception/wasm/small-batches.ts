import type { PerceptionBackend } from "../perception-kernels.ts";
import type { CheckedImageScores } from "../image-scores.ts";
import * as plain from "../reference/hard-examples.ts";
import * as module from "./hard-examples.ts";
import type { PerceptionMemory } from "./perception-exports.ts";

/**
 * Of each miner, the fewest scores of a batch that go into the module; fewer cost less in plain TypeScript. Of `ibt` and
 * `threshold`, an image counts as five scores more.
 */
export interface MinScores {
  readonly ibt: number;
  readonly threshold: number;
  readonly crossEntropy: number;
}

/**
 * Measured as in `bench/kernels/hem-crossover.ts`: whole calls with their checks, the medians of the ratios of 11 rounds, in
 * Node 20 on x86-64 (Zen 5). The two cost the same at 16 images of 1 score, 10 of 5 and 4 of 20, and at about 25
 * probabilities of `crossEntropy`, whose logarithms make TypeScript dear.
 */
export const minScores: MinScores = { ibt: 100, threshold: 100, crossEntropy: 25 };

/** What an image costs TypeScript besides its scores: a view. */
const SCORES_AN_IMAGE = 5;

/** Sends every batch through the module. */
export const noMinScores: MinScores = { ibt: 0, threshold: 0, crossEntropy: 0 };

/** The miners, each computed where its batch costs less. The answers are the same: `confidences` differ within their tolerance. */
export function minersBySize(
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
