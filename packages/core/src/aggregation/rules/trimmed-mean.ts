import type { Aggregator } from "../aggregator.ts";
import { byColumns } from "../lib/by-columns.ts";
import { sortedMean } from "./median.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";
import { ruleNumber, type RuleNumber } from "../lib/rule-number.ts";

/** Parameters of {@link TrimmedMean}. */
export interface TrimmedMeanParameters {
  /**
   * Values that are left out at each end: below 0.5 a share of the clients, from 1 on a count of them. It
   * must be at least that of the hostile clients. Default 0.2.
   */
  readonly trim?: RuleNumber;
}

/**
 * The mean of each parameter without its greatest and least values: as many hostile clients as are trimmed at
 * one end leave it between honest ones. It refuses a cohort in which it would trim nothing, or all. Source:
 * Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", 2018.
 */
export function TrimmedMean({ trim = 0.2 }: TrimmedMeanParameters = {}): Aggregator {
  const holds = (value: number): boolean =>
    (value > 0 && value < 0.5) || (value >= 1 && Number.isSafeInteger(value));
  const given = ruleNumber("trim", {
    value: trim,
    holds,
    expected: "above 0 and below 0.5, a share, or a whole one from 1 on, a count",
  });
  // Of 5 clients 20 % is one, though 0.2 * 5 might come out a bit below it.
  const trimOf = (clients: number): number =>
    given < 1 ? Math.min(Math.floor(given * clients * (1 + 1e-12)), Math.ceil(clients / 2) - 1) : given;
  return robustAggregator({
    name: "TrimmedMean",
    minClients: given < 1 ? Math.max(3, Math.ceil((1 - 1e-12) / given)) : 2 * given + 1,
    reduce: (updates, kernels) =>
      byColumns(updates, {
        kernels,
        reduce: (bucket) => bucket.trimmedMean({ trim: trimOf(updates.length) }),
      }),
    reducePlain: (updates) => sortedMean(updates, trimOf(updates.length)),
  });
}
