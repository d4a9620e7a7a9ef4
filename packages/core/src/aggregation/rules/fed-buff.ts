import { numberParameter, parameterized } from "../../check/parameters.ts";
import { meanAggregator } from "../lib/mean-aggregator.ts";
import { meanParameters, serverLearningRate } from "../lib/rule-parameters.ts";
import { sgdServer } from "../server-optimizer.ts";

const parameters = {
  /** Server learning rate. */
  learningRate: serverLearningRate(1),
  /**
   * Exponent of the discount: an update with staleness s is discounted by (1 + s) ** -exponent. With 0 there
   * is no discount.
   */
  exponent: numberParameter({ fallback: 0.5, min: 0, below: Infinity }),
  ...meanParameters,
};

/**
 * The rule of the buffered asynchronous mode: a mean in which stale updates are discounted, so that a buffer
 * of stale updates makes a smaller step. The paper weighs clients equally; this rule weighs them by their
 * samples, as FedAvg does. Source: Nguyen et al., "Federated Learning with Buffered Asynchronous
 * Aggregation", 2022.
 */
export const FedBuff = parameterized(parameters, ({ learningRate, exponent, clipNorm, initial }) => {
  const server = learningRate === 1 ? undefined : sgdServer(learningRate);
  return meanAggregator({ name: "FedBuff", clipNorm, exponent, server }, initial);
});
