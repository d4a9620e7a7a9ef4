import { FedAdam } from "./fed-adam.ts";
import { FedAvgM } from "./fed-avg-m.ts";
import { FedAvg } from "./fed-avg.ts";
import { FedBuff } from "./fed-buff.ts";
import { FedProx } from "./fed-prox.ts";

/**
 * Rules that make one model of many, by name, for `select`. FedAvg is Sedna's, under Sedna's name; the rest are ours.
 * Extend by spreading: `{ ...aggregation, Mine: (param) => Aggregator }`.
 */
export const aggregation = { FedAvg, FedAvgM, FedAdam, FedProx, FedBuff } as const;
