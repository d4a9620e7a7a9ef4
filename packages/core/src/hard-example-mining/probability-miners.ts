import type { HardExampleMiner } from "./miner.ts";
import { numberParameter, parameterized } from "../check/parameters.ts";
import { probabilities } from "./probabilities.ts";

/**
 * Marks a sample as hard if its largest class probability is below `threshold`: the plain confidence rule.
 */
export const MaxProbability = parameterized(
  {
    /** Largest probability below which a sample is hard. */
    threshold: numberParameter({ fallback: 0.8 }),
  },
  ({ threshold }): HardExampleMiner =>
    (inferResult) => {
      const values = probabilities(inferResult);
      return values !== undefined && Math.max(...values) < threshold;
    },
);

/**
 * Marks a sample as hard if its two largest class probabilities differ by less than `threshold`. A sample
 * with a single class is not hard.
 */
export const Margin = parameterized(
  {
    /** Difference of the two largest probabilities below which a sample is hard. */
    threshold: numberParameter({
      fallback: 0.6,
    }),
  },
  ({ threshold }): HardExampleMiner =>
    (inferResult) => {
      const values = probabilities(inferResult);
      if (values === undefined || values.length < 2) return false;
      const [first, second] = values.toSorted((a, b) => b - a) as [number, number];
      return first - second < threshold;
    },
);
