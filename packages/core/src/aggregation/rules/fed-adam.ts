import { describeValue } from "../../errors.ts";
import type { Aggregator } from "../aggregator.ts";
import { meanAggregator, optionalClip, type MeanParameters } from "../lib/mean-aggregator.ts";
import { decayRate, positive, type RuleNumber } from "../lib/rule-number.ts";
import { adamServer } from "../server-optimizer.ts";

/** Parameters of {@link FedAdam}. */
export interface FedAdamParameters extends MeanParameters {
  /** Of the server; default 0.01: about how far a parameter moves in a round. */
  readonly learningRate?: RuleNumber;
  /** Default 0.9. */
  readonly beta1?: RuleNumber;
  /** Default 0.99. */
  readonly beta2?: RuleNumber;
  /**
   * How adaptive it is: changes far below it move parameters in proportion, far above it by the learning
   * rate. Default 0.001.
   */
  readonly tau?: RuleNumber;
  /** Divides both moments by `1 - beta ** rounds`, as Adam does and the source does not. Default false. */
  readonly biasCorrection?: boolean | "true" | "false";
}

/**
 * Adam at the server, on the mean change. It remembers two numbers a parameter.
 * Source: Reddi et al., "Adaptive Federated Optimization", 2020, algorithm 2; beta1, beta2 and tau are its.
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
