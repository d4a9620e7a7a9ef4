import { parameterized } from "../../check/parameters.ts";
import { byColumns } from "../lib/by-columns.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";

/**
 * The median of each parameter; for an even number of updates the mean of the middle two. While fewer than
 * half of the clients are hostile, each parameter stays between honest values. The cost: if honest clients
 * differ, the median is not their mean. Source: Yin et al., "Byzantine-Robust Distributed Learning: Towards
 * Optimal Statistical Rates", 2018.
 */
export const Median = parameterized({}, () =>
  robustAggregator({
    name: "Median",
    // Of two updates, a hostile one is not a minority.
    minClients: 3,
    reduce: (updates, kernels) => byColumns(updates, { kernels, reduce: (bucket) => bucket.median() }),
    reducePlain: (updates) => sortedMean(updates, Math.floor((updates.length - 1) / 2)),
  }),
);

/** Returns the mean of each coordinate without its `trim` smallest and `trim` largest values, in float64. */
export function sortedMean(updates: readonly Float64Array[], trim: number): Float64Array {
  const kept = updates.length - 2 * trim;
  return updates[0]!.map((_, i) => {
    const sorted = updates.map((update) => update[i]!).toSorted((a, b) => a - b);
    return sorted.slice(trim, updates.length - trim).reduce((sum, x) => sum + x / kept, 0);
  });
}
