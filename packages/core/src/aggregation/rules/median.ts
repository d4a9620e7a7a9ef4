import type { Aggregator } from "../aggregator.ts";
import { byColumns } from "../lib/by-columns.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";

/**
 * The median of each parameter; of an even count the mean of the middle two. While fewer than half of the
 * clients are hostile, each parameter stays between honest ones. Honest clients that differ pay: it is no
 * mean. Source: Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", 2018.
 */
export function Median(): Aggregator {
  return robustAggregator({
    name: "Median",
    // Of two, neither is in the minority.
    minClients: 3,
    reduce: (updates, kernels) => byColumns(updates, { kernels, reduce: (bucket) => bucket.median() }),
    reducePlain: (updates) => sortedMean(updates, Math.floor((updates.length - 1) / 2)),
  });
}

/** Of each coordinate the mean without its `trim` least and `trim` greatest values, in float64. */
export function sortedMean(updates: readonly Float64Array[], trim: number): Float64Array {
  const kept = updates.length - 2 * trim;
  return updates[0]!.map((_, i) => {
    const sorted = updates.map((update) => update[i]!).toSorted((a, b) => a - b);
    return sorted.slice(trim, updates.length - trim).reduce((sum, x) => sum + x / kept, 0);
  });
}
