import { parameterized } from "../../check/parameters.ts";
import { meanAggregator } from "../lib/mean-aggregator.ts";
import { meanParameters } from "../lib/rule-parameters.ts";

/**
 * FedProx at the server, which equals FedAvg. Clients apply the proximal term that keeps them near the
 * round's model: see `proximal` of the federation's `TrainingPlan`. Source: Li et al., "Federated
 * Optimization in Heterogeneous Networks", 2020.
 */
export const FedProx = parameterized(meanParameters, ({ clipNorm, initial }) =>
  meanAggregator({ name: "FedProx", clipNorm }, initial),
);
