import { select } from "../select.ts";
import type { Aggregator } from "./aggregator.ts";
import { Bucketing } from "./rules/bucketing.ts";
import { FedAdam } from "./rules/fed-adam.ts";
import { FedAvgM } from "./rules/fed-avg-m.ts";
import { FedAvg } from "./rules/fed-avg.ts";
import { FedBuff } from "./rules/fed-buff.ts";
import { FedProx } from "./rules/fed-prox.ts";
import { FLTrust } from "./rules/fl-trust.ts";
import { Median } from "./rules/median.ts";
import { MultiKrum } from "./rules/multi-krum.ts";
import { normClipping, type NormClippingParameters } from "./rules/norm-clipping.ts";
import { TrimmedMean } from "./rules/trimmed-mean.ts";

const rules = {
  FedAvg,
  FedAvgM,
  FedAdam,
  FedProx,
  FedBuff,
  TrimmedMean,
  Median,
  MultiKrum,
  FLTrust,
  Bucketing,
} as const;

/** Parameters of `NormClipping`, whose rule may also be given by name, as in a job. */
export interface NamedNormClippingParameters extends Omit<NormClippingParameters, "rule"> {
  /** Rule that aggregates the clipped updates. Default: FedAvg. */
  readonly rule?:
    | Aggregator
    | { readonly method: keyof typeof rules; readonly param?: Readonly<Record<string, unknown>> };
}

function NormClipping({ rule, ...param }: NamedNormClippingParameters): Aggregator {
  if (rule === undefined) return normClipping(param);
  return normClipping({ ...param, rule: "open" in rule ? rule : select(rules, rule as never) });
}

/**
 * Aggregation rules by name, for `select`. FedAvg is Sedna's rule under Sedna's name; the other rules are
 * this project's. Extend the table by spreading: `{ ...aggregation, Mine: (param) => Aggregator }`.
 * docs/aggregation.md says which rule fits which purpose.
 */
export const aggregation = { ...rules, NormClipping } as const;
