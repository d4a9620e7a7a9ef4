import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";
import { decayRate, positive, type RuleNumber } from "../lib/rule-number.ts";
import { momentumServer } from "../server-optimizer.ts";

/** Parameters of {@link FedAvgM}. */
export interface FedAvgMParameters extends MeanParameters {
  /** Decay rate of the velocity. Default 0.9. */
  readonly momentum?: RuleNumber;
  /**
   * Server learning rate. With momentum, a constant update adds up to `learningRate / (1 - momentum)` times
   * itself. Default 1.
   */
  readonly learningRate?: RuleNumber;
}

/**
 * FedAvg with momentum at the server, which smooths rounds whose clients pull in different directions. It
 * keeps one number of state per parameter. Source: Hsu et al., "Measuring the Effects of Non-Identical Data
 * Distribution for Federated Visual Classification", 2019.
 */
export function FedAvgM(param: FedAvgMParameters = {}): Aggregator {
  const server = momentumServer({
    momentum: decayRate("momentum", param.momentum ?? 0.9),
    learningRate: positive("learningRate", param.learningRate ?? 1),
  });
  return meanAggregator({ name: "FedAvgM", clipNorm: optionalClip(param), server }, param);
}
