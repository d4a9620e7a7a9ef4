/** Aggregation rules, and the port that a rule implements. */

export { aggregation } from "./aggregation.ts";
export type { Accumulator, AggClient, AggregationRound, Aggregator } from "./aggregator.ts";
export { stalenessWeight } from "./lib/mean-accumulator.ts";
