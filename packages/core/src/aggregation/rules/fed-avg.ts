import { parameterized } from "../../check/parameters.ts";
import { meanAggregator } from "../lib/mean-aggregator.ts";
import { meanParameters } from "../lib/rule-parameters.ts";

/**
 * The mean of the clients' models, weighted by their samples. One client can move it anywhere: if clients
 * are not trusted, set `clipNorm`. Source: McMahan et al., "Communication-Efficient Learning of Deep Networks
 * from Decentralized Data", 2017; Sedna's `FedAvg`.
 */
export const FedAvg = parameterized(meanParameters, ({ clipNorm, initial }) =>
  meanAggregator({ name: "FedAvg", clipNorm }, initial),
);
