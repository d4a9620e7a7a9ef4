import { type Parameter, parameterized, requiredNumber } from "../check/parameters.ts";
import { describeValue } from "../errors.ts";
import { select } from "../select.ts";
import type { Aggregator } from "./aggregator.ts";
import { clipNormLimits, initial } from "./lib/rule-parameters.ts";
import { Bucketing } from "./rules/bucketing.ts";
import { FedAdam } from "./rules/fed-adam.ts";
import { FedAvgM } from "./rules/fed-avg-m.ts";
import { FedAvg } from "./rules/fed-avg.ts";
import { FedBuff } from "./rules/fed-buff.ts";
import { FedProx } from "./rules/fed-prox.ts";
import { FLTrust } from "./rules/fl-trust.ts";
import { Median } from "./rules/median.ts";
import { MultiKrum } from "./rules/multi-krum.ts";
import { normClipping } from "./rules/norm-clipping.ts";
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

/** A rule, its name, or its name with parameters, as in a job. */
type NamedRule =
  | Aggregator
  | keyof typeof rules
  | { readonly method: keyof typeof rules; readonly param?: Readonly<Record<string, unknown>> };

const rule: Parameter<NamedRule, Aggregator | undefined> & { readonly required: false } = {
  expected: "a rule, its name, or { method, param }",
  fallback: "FedAvg",
  required: false,
  isText: true,
  read(name, given) {
    if (given === undefined) return undefined;
    if (typeof given === "string") return select(rules, { method: given } as never);
    if (typeof given !== "object" || given === null)
      throw new TypeError(`read ${name}: expected ${rule.expected}; got ${describeValue(given)}`);
    return "createAccumulator" in given ? given : select(rules, given as never);
  },
};

const NormClipping = parameterized(
  {
    /** Euclidean norm that larger updates are scaled down to. */
    clipNorm: requiredNumber(clipNormLimits),
    /** Rule that aggregates the clipped updates: its name, or `{ method, param }`. */
    rule,
    initial,
  },
  normClipping,
);

/**
 * Aggregation rules by name, for `select`. FedAvg is Sedna's rule under Sedna's name; the other rules are
 * this project's. Extend the table by spreading: `{ ...aggregation, Mine: (param) => Aggregator }`.
 * docs/aggregation.md says which rule fits which purpose.
 */
export const aggregation = { ...rules, NormClipping } as const;
