import { privateVectors, type VectorMechanism } from "../privacy/private-vectors.ts";
import type { RandomBits } from "../privacy/random-bits.ts";
import {
  randomizedResponse,
  randomizeLabels,
  type RandomizedResponse,
} from "../privacy/randomized-response.ts";
import type { MistnetPlan, MistnetRecords } from "../wire/mistnet.ts";

/** How a plan's epsilon is dealt out within a record. The two parts add up to it. */
export interface RecordPrivacy {
  readonly features: VectorMechanism;
  /** Epsilon of the label. */
  readonly labels: number;
  readonly response: RandomizedResponse;
}

/** What a plan asks of each record. */
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
 * Records with noise: whoever sees a record, its features and its label together, can tell any two records
 * that might have been there apart by no more than the plan's epsilon (and delta). That is of one record: a
 * device that uploads `m` records of one person tells up to `m` times epsilon of that person. Made again, the
 * same records cost epsilon again, so it is to be called once and its result kept.
 * @throws {RangeError} on features that are not finite, labels that there are not, or more or other records
 * than the plan takes.
 */
export function privateRecords(
  { features, labels }: MistnetRecords,
  { plan, bits }: { readonly plan: MistnetPlan; readonly bits: RandomBits },
): MistnetRecords {
  const { features: width, classes } = plan.head;
  if (labels.length < 1 || labels.length > plan.maxRecords)
    throw new RangeError(`make records private: expected 1 to ${plan.maxRecords}; got ${labels.length}`);
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
