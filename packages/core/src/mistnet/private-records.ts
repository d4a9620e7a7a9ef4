import { privateVectors, type VectorMechanism } from "../privacy/private-vectors.ts";
import type { RandomBits } from "../privacy/random-bits.ts";
import {
  randomizedResponse,
  randomizeLabels,
  type RandomizedResponse,
} from "../privacy/randomized-response.ts";
import type { MistnetPlan, MistnetRecords } from "../wire/mistnet.ts";

/** Split of a plan's epsilon within a record. The two parts add up to epsilon. */
export interface RecordPrivacy {
  readonly features: VectorMechanism;
  /** Epsilon of the label. */
  readonly labels: number;
  readonly response: RandomizedResponse;
}

/** Returns the mechanisms and the epsilon of each part of a record. */
export function recordPrivacy({
  mechanism,
  epsilon,
  delta,
  labelShare,
  bound,
  head,
}: MistnetPlan): RecordPrivacy {
  const labels = epsilon * labelShare;
  const rest = epsilon - labels;
  return {
    features:
      mechanism === "laplace"
        ? { kind: mechanism, epsilon: rest, bound }
        : { kind: mechanism, epsilon: rest, delta, bound },
    labels,
    response: randomizedResponse({ epsilon: labels, classes: head.classes }),
  };
}

/**
 * Adds noise to records. An observer of a noisy record, its features and label together, can distinguish any
 * two possible records by at most the plan's epsilon (and delta). The guarantee is per record: a device that
 * uploads `m` records of one person reveals up to `m` times epsilon about that person. Adding noise to the
 * same records again spends epsilon again: call this once and keep the result.
 * @throws {RangeError} If a feature is not finite, a label is out of range, or the number of records or
 * features does not match the plan.
 */
export function privateRecords(
  { features, labels }: MistnetRecords,
  { plan, bits }: { readonly plan: MistnetPlan; readonly bits: RandomBits },
): MistnetRecords {
  const { features: width, classes } = plan.head;
  if (labels.length < 1 || labels.length > plan.maxRecords)
    throw new RangeError(
      `make records private: expected 1 to ${plan.maxRecords} records; got ${labels.length}`,
    );
  if (features.length !== labels.length * width)
    throw new RangeError(
      `make records private: expected ${labels.length} times ${width} numbers; got ${features.length}`,
    );
  const privacy = recordPrivacy(plan);
  return {
    features: privateVectors(features, { width, mechanism: privacy.features, bits }),
    labels: randomizeLabels(labels, { epsilon: privacy.labels, classes, bits }),
  };
}
