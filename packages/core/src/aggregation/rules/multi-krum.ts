import type { Aggregator } from "../aggregator.ts";
import { chooseKrum } from "../lib/choose-krum.ts";
import { sortedMean } from "./median.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";
import { clientCount, type RuleNumber } from "../lib/rule-number.ts";

/** Parameters of {@link MultiKrum}. */
export interface MultiKrumParameters {
  /** Number of hostile clients that the rule withstands. At least 1. */
  readonly f: RuleNumber;
  /**
   * Number of updates that are averaged; 1 is Krum. Default: all but f + 2, the largest number for which
   * convergence is proven.
   */
  readonly m?: RuleNumber;
}

/**
 * The mean of the m updates that are closest to their nearest neighbors. Needs at least 2f + 3 updates. It
 * compares each pair of updates: the cost grows with the square of the cohort. Honest clients whose data
 * differ much look hostile to it. Source: Blanchard et al., "Machine Learning with Adversaries: Byzantine
 * Tolerant Gradient Descent", 2017; the default of m: Damaskinos et al., "AggregaThor: Byzantine Machine
 * Learning via Robust Gradient Aggregation", 2019.
 */
export function MultiKrum({ f, m }: MultiKrumParameters): Aggregator {
  const hostile = clientCount("f", { value: f, least: 1 });
  const most = m === undefined ? undefined : clientCount("m", { value: m, least: 1 });
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
}
