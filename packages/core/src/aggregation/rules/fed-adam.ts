import { flagParameter, numberParameter, parameterized } from "../../check/parameters.ts";
import { meanAggregator } from "../lib/mean-aggregator.ts";
import { decayRate, meanParameters, serverLearningRate } from "../lib/rule-parameters.ts";
import { adamServer } from "../server-optimizer.ts";

const parameters = {
  /** Server learning rate: about the distance that a parameter moves in a round. */
  learningRate: serverLearningRate(0.01),
  /** Decay rate of the first moment. */
  beta1: decayRate(0.9),
  /** Decay rate of the second moment. */
  beta2: decayRate(0.99),
  /**
   * Adaptivity: an update far below tau moves a parameter in proportion, one far above it by the learning
   * rate.
   */
  tau: numberParameter({ fallback: 0.001, above: 0, below: Infinity }),
  /** Divide both moments by 1 - beta ** rounds, as Adam does but the paper does not. */
  biasCorrection: flagParameter(false),
  ...meanParameters,
};

/**
 * Adam at the server, applied to the mean update. It keeps two numbers of state per parameter. Source: Reddi
 * et al., "Adaptive Federated Optimization", 2020, algorithm 2, with its beta1, beta2 and tau.
 */
export const FedAdam = parameterized(parameters, ({ clipNorm, initial, ...settings }) =>
  meanAggregator({ name: "FedAdam", clipNorm, server: adamServer(settings) }, initial),
);
