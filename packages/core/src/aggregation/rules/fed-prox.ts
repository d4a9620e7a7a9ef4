import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";

/** Parameters of {@link FedProx}. */
export type FedProxParameters = MeanParameters;

/**
 * FedProx at the server, which equals FedAvg. Clients apply the proximal term that keeps them near the
 * round's model: see `proximal` of the federation's `TrainingPlan`. Source: Li et al., "Federated
 * Optimization in Heterogeneous Networks", 2020.
 */
export function FedProx(param: FedProxParameters = {}): Aggregator {
  return meanAggregator({ name: "FedProx", clipNorm: optionalClip(param) }, param);
}
