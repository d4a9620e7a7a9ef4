import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";
import { positive, ruleNumber, type RuleNumber } from "../lib/rule-number.ts";
import { sgdServer } from "../server-optimizer.ts";

/** Parameters of {@link FedBuff}. */
export interface FedBuffParameters extends MeanParameters {
  /** Server learning rate. Default 1. */
  readonly learningRate?: RuleNumber;
  /**
   * Exponent of the discount: an update with staleness s is discounted by `(1 + s) ** -exponent`; 0 discounts
   * none. Default 0.5.
   */
  readonly exponent?: RuleNumber;
}

/**
 * The rule of the buffered asynchronous mode: a mean in which stale updates are discounted, so that a buffer
 * of stale updates makes a smaller step. The paper weighs clients equally; this rule weighs them by their
 * samples, as FedAvg does. Source: Nguyen et al., "Federated Learning with Buffered Asynchronous
 * Aggregation", 2022.
 */
export function FedBuff(param: FedBuffParameters = {}): Aggregator {
  const exponent = ruleNumber("exponent", {
    value: param.exponent ?? 0.5,
    holds: (one) => one >= 0 && one < Infinity,
    expected: "at least 0 and finite",
  });
  const learningRate = positive("learningRate", param.learningRate ?? 1);
  const server = learningRate === 1 ? undefined : sgdServer(learningRate);
  return meanAggregator({ name: "FedBuff", clipNorm: optionalClip(param), exponent, server }, param);
}
