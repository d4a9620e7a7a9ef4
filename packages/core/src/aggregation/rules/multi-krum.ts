import { optionalNumber, parameterized, requiredNumber } from "../../check/parameters.ts";
import { chooseKrum } from "../lib/choose-krum.ts";
import { sortedMean } from "./median.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";

const parameters = {
  /** Number of hostile clients that the rule withstands. */
  f: requiredNumber({ min: 1, whole: true }),
  /** Number of updates that are averaged; 1 is Krum. */
  m: optionalNumber({
    min: 1,
    whole: true,
    absent: "all but f + 2, the largest number for which convergence is proven",
  }),
};

/**
 * The mean of the m updates that are closest to their nearest neighbors. Needs at least 2f + 3 updates. It
 * compares each pair of updates: the cost grows with the square of the cohort. Honest clients whose data
 * differ much look hostile to it. Source: Blanchard et al., "Machine Learning with Adversaries: Byzantine
 * Tolerant Gradient Descent", 2017; the default of m: Damaskinos et al., "AggregaThor: Byzantine Machine
 * Learning via Robust Gradient Aggregation", 2019.
 */
export const MultiKrum = parameterized(parameters, ({ f: hostile, m: most }) => {
  const chosenOf = (clients: number): number => most ?? clients - hostile - 2;
  return robustAggregator({
    name: "MultiKrum",
    minClients: Math.max(2 * hostile + 3, (most ?? 0) + hostile + 2),
    reduce(updates, kernels) {
      const chosen = chooseKrum(updates, { hostile, chosen: chosenOf(updates.length) });
      const mean = kernels.weightedMean({ length: chosen[0]!.length, accumulator: "f64" });
      try {
        for (const values of chosen) mean.add({ encoding: "f32", values }, { weight: 1 });
        return mean.result();
      } finally {
        mean.dispose();
      }
    },
    reducePlain: (updates) =>
      sortedMean(chooseKrum(updates, { hostile, chosen: chosenOf(updates.length) }), 0),
  });
});
