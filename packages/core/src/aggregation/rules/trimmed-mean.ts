import { type NumberOrText, numberParameter, type Parameter, parameterized } from "../../check/parameters.ts";
import { byColumns } from "../lib/by-columns.ts";
import { sortedMean } from "./median.ts";
import { robustAggregator } from "../lib/robust-aggregator.ts";

const trim: Parameter<NumberOrText, number> & { readonly required: false } = {
  ...numberParameter({ fallback: 0.2 }),
  expected: "a number above 0 and below 0.5 (a share), or whole and at least 1 (a number of clients)",
  read(name, given = 0.2) {
    const value = numberParameter({ fallback: 0 }).read(name, given);
    if ((value > 0 && value < 0.5) || (value >= 1 && Number.isSafeInteger(value))) return value;
    throw new RangeError(`read ${name}: expected ${trim.expected}; got ${value}`);
  },
};

const parameters = {
  /**
   * Values that are dropped at each end: a share of the clients below 0.5, or a number of clients. It must be
   * at least the share or number of hostile clients.
   */
  trim,
};

/**
 * The mean of each parameter without its largest and smallest values. It stays between honest values if at
 * most as many clients are hostile as are trimmed at one end. It rejects a cohort in which it would trim no
 * values or all values. Source: Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal
 * Statistical Rates", 2018.
 */
export const TrimmedMean = parameterized(parameters, ({ trim: given }) => {
  // 29 % of 100 clients is 29, although 0.29 * 100 is slightly less in floating point.
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
});
