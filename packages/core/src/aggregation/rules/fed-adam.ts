import { describeValue } from "../../errors.ts";
import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";
import { decayRate, positive, type RuleNumber } from "../lib/rule-number.ts";
import { adamServer } from "../server-optimizer.ts";

/** Parameters of {@link FedAdam}. */
export interface FedAdamParameters extends MeanParameters {
  /** Server learning rate: about the distance that a parameter moves in a round. Default 0.01. */
  readonly learningRate?: RuleNumber;
  /** Decay rate of the first moment. Default 0.9. */
  readonly beta1?: RuleNumber;
  /** Decay rate of the second moment. Default 0.99. */
  readonly beta2?: RuleNumber;
  /**
   * Adaptivity: an update far below `tau` moves a parameter in proportion, one far above it by the learning
   * rate. Default 0.001.
   */
  readonly tau?: RuleNumber;
  /** Divide both moments by `1 - beta ** rounds`, as Adam does but the paper does not. Default false. */
  readonly biasCorrection?: boolean | "true" | "false";
}

/**
 * Adam at the server, applied to the mean update. It keeps two numbers of state per parameter. Source: Reddi
 * et al., "Adaptive Federated Optimization", 2020, algorithm 2, with its beta1, beta2 and tau.
 */
export function FedAdam(param: FedAdamParameters = {}): Aggregator {
  const server = adamServer({
    learningRate: positive("learningRate", param.learningRate ?? 0.01),
    beta1: decayRate("beta1", param.beta1 ?? 0.9),
    beta2: decayRate("beta2", param.beta2 ?? 0.99),
    tau: positive("tau", param.tau ?? 0.001),
    biasCorrection: yesOrNo("biasCorrection", param.biasCorrection ?? false),
  });
  return meanAggregator({ name: "FedAdam", clipNorm: optionalClip(param), server }, param);
}

function yesOrNo(name: string, value: unknown): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new TypeError(`read ${name}: expected true or false; got ${describeValue(value)}`);
}
