import type { HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";

/** Parameters of {@link Random}. */
export interface RandomParameters {
  /** Share of samples that are called hard; Sedna fails on the string form, here it works. */
  readonly random_ratio?: number | string;
  /** Uniform draws in [0,1); for tests and repeatable runs. */
  readonly random?: () => number;
}

/** Calls a share of all samples hard, whatever they show: the baseline every other miner must beat. */
export function Random({
  random_ratio = 0.3,
  random = Math.random,
}: RandomParameters = {}): HardExampleMiner<unknown> {
  const ratio = numberParameter("random_ratio", random_ratio);
  return () => random() < ratio;
}
