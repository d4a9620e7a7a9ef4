import type { HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";
import { probabilities } from "./probabilities.ts";

/** Parameters of {@link CrossEntropy}. */
export interface CrossEntropyParameters {
  readonly threshold_cross_entropy?: number | string;
}

/**
 * Marks a sample as hard if its class probabilities are spread out: `1 + sum(p ln p) / ln(n)` is below the
 * threshold (1 is a certain result, 0 a uniform one). A sample with an empty vector, a value outside [0,1],
 * or a single class is not hard. Sedna raises an error on a probability of 0 and on a single class; here `0
 * ln 0 = 0`.
 *
 * @throws {TypeError} If the input is not a list of numbers. Source: `CrossEntropyFilter` in Sedna's
 * `algorithms/hard_example_mining`.
 */
export function CrossEntropy({
  threshold_cross_entropy = 0.5,
}: CrossEntropyParameters = {}): HardExampleMiner {
  const limit = numberParameter("threshold_cross_entropy", threshold_cross_entropy);
  return (inferResult) => {
    const values = probabilities(inferResult);
    return values !== undefined && values.length > 1 && confidence(values) < limit;
  };
}

/** Returns 1 for a certain result and 0 for a uniform one: one minus the entropy divided by its maximum. */
export function confidence(values: readonly number[]): number {
  let sum = 0;
  for (const p of values) sum += p === 0 ? 0 : p * Math.log(p);
  return 1 + sum / Math.log(values.length);
}
