import type { HardExampleMiner } from "./miner.ts";
import { numberParameter, parameterized } from "../check/parameters.ts";
import { probabilities } from "./probabilities.ts";

const parameters = {
  /** Certainty of the result below which a sample is hard. */
  threshold_cross_entropy: numberParameter({
    fallback: 0.5,
  }),
};

/**
 * Marks a sample as hard if its class probabilities are spread out: `1 + sum(p ln p) / ln(n)` is below the
 * threshold (1 is a certain result, 0 a uniform one). A sample with an empty vector, a value outside [0,1],
 * or a single class is not hard. Sedna raises an error on a probability of 0 and on a single class; here `0
 * ln 0 = 0`.
 *
 * Source: `CrossEntropyFilter` in Sedna's `algorithms/hard_example_mining`.
 *
 * @throws {TypeError} If the input is not a list of numbers.
 */
export const CrossEntropy = parameterized(
  parameters,
  ({ threshold_cross_entropy: threshold }): HardExampleMiner =>
    (inferResult) => {
      const values = probabilities(inferResult);
      return values !== undefined && values.length > 1 && confidence(values) < threshold;
    },
);

/** Returns 1 for a certain result and 0 for a uniform one: one minus the entropy divided by its maximum. */
export function confidence(values: readonly number[]): number {
  let sum = 0;
  for (const p of values) sum += p === 0 ? 0 : p * Math.log(p);
  return 1 + sum / Math.log(values.length);
}
