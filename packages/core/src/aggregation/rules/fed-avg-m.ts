import { parameterized } from "../../check/parameters.ts";
import { meanAggregator } from "../lib/mean-aggregator.ts";
import { decayRate, meanParameters, serverLearningRate } from "../lib/rule-parameters.ts";
import { momentumServer } from "../server-optimizer.ts";

const parameters = {
  /** Decay rate of the velocity. */
  momentum: decayRate(0.9),
  /**
   * Server learning rate. With momentum, a constant update adds up to learningRate / (1 - momentum) times
   * itself.
   */
  learningRate: serverLearningRate(1),
  ...meanParameters,
};

/**
 * FedAvg with momentum at the server, which smooths rounds whose clients pull in different directions. It
 * keeps one number of state per parameter. Source: Hsu et al., "Measuring the Effects of Non-Identical Data
 * Distribution for Federated Visual Classification", 2019.
 */
export const FedAvgM = parameterized(parameters, ({ momentum, learningRate, clipNorm, initial }) =>
  meanAggregator({ name: "FedAvgM", clipNorm, server: momentumServer({ momentum, learningRate }) }, initial),
);
