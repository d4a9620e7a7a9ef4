import type { HardExampleMiner } from "./miner.ts";
import { numberParameter } from "../check/number-parameter.ts";
import { probabilities } from "./probabilities.ts";

/**
 * Marks a sample as hard if its largest class probability is below `threshold`: the plain confidence rule.
 */
export function MaxProbability({
  threshold = 0.8,
}: { readonly threshold?: number | string } = {}): HardExampleMiner {
  const limit = numberParameter("threshold", threshold);
  return (inferResult) => {
    const values = probabilities(inferResult);
    return values !== undefined && Math.max(...values) < limit;
  };
}

/**
 * Marks a sample as hard if its two largest class probabilities differ by less than `threshold`. A sample
 * with a single class is not hard.
 */
export function Margin({ threshold = 0.6 }: { readonly threshold?: number | string } = {}): HardExampleMiner {
  const limit = numberParameter("threshold", threshold);
  return (inferResult) => {
    const values = probabilities(inferResult);
    if (values === undefined || values.length < 2) return false;
    const [first, second] = values.toSorted((a, b) => b - a) as [number, number];
    return first - second < limit;
  };
}
