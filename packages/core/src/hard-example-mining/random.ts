import type { HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";

/** Parameters of {@link Random}. */
export interface RandomParameters {
  /**
   * Share of samples that are marked as hard. Default 0.3. Sedna fails on a string; this miner accepts it.
   */
  readonly random_ratio?: number | string;
  /** Uniform draws in [0,1), for tests and repeatable runs. Default `Math.random`. */
  readonly random?: () => number;
}

/** Marks a random share of all samples as hard: the baseline that every other miner must beat. */
export function Random({
  random_ratio = 0.3,
  random = Math.random,
}: RandomParameters = {}): HardExampleMiner<unknown> {
  const ratio = numberParameter("random_ratio", random_ratio);
  return () => random() < ratio;
}
