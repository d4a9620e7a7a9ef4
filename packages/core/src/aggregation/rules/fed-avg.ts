import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";

/** Parameters of {@link FedAvg}. */
export type FedAvgParameters = MeanParameters;

/**
 * The mean of the clients' models, weighted by their samples. One client can move it anywhere: behind open
 * doors give `clipNorm`. Source: McMahan et al., "Communication-Efficient Learning of Deep Networks from
 * Decentralized Data", 2017; Sedna's `FedAvg`.
 */
export function FedAvg(param: FedAvgParameters = {}): Aggregator {
  return meanAggregator({ name: "FedAvg", clipNorm: optionalClip(param) }, param);
}
