import type { Tensor } from "../../tensor.ts";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase } from "../lib/batch-form.ts";
import { requireCohort } from "../lib/cohort.ts";
import { FedAvg } from "./fed-avg.ts";
import { plainUpdates } from "../lib/plain-updates.ts";
import { clipLength, type RuleNumber } from "../lib/rule-number.ts";
import { flatten, layoutOf, unflatten } from "../lib/whole-weights.ts";

/** Parameters of {@link normClipping}. */
export interface NormClippingParameters {
  /** Euclidean norm that larger updates are scaled down to. */
  readonly clipNorm: RuleNumber;
  /** Rule that aggregates the clipped updates. Default: FedAvg. */
  readonly rule?: Aggregator;
  /** For `aggregate` only: the model before the first call. */
  readonly initial?: readonly Tensor[];
}

/**
 * Any rule, with changes clipped before it sees them: one client of n moves a mean by at most `clipNorm`
 * times its share. Source: Sun et al., "Can You Really Backdoor Federated Learning?", 2019.
 */
export function normClipping({ clipNorm, rule, initial }: NormClippingParameters): Aggregator {
  const length = clipLength(clipNorm);
  const name = "NormClipping";
  // A mean clips while it adds, without a copy.
  if (rule === undefined)
    return { ...FedAvg({ clipNorm: length, ...(initial === undefined ? {} : { initial }) }), name };
  return {
    name,
    minClients: rule.minClients,
    needsSumOnly: false,
    aggregate: batchForm({
      initial,
      next({ clients, base }) {
        const clipped = clippedVoters(clients, { base: requireBase(name, base), clipNorm: length });
        requireCohort(name, { expected: rule.minClients, got: clipped.length });
        return flatten(
          rule.aggregate(
            clipped.map(({ numSamples, weights }) => ({
              numSamples,
              weights: unflatten(flatten(weights), layoutOf(clients[0]!.weights)),
            })),
          )!,
        );
      },
    }),
    open: (round) => openClipped(round, { rule, clipNorm: length }),
  };
}

function openClipped(
  round: AggregationRound,
  { rule, clipNorm }: { readonly rule: Aggregator; readonly clipNorm: number },
): Accumulator {
  const inner = rule.open(round);
  const reader = plainUpdates(round.kernels, round.base.length);
  return {
    get count() {
      return inner.count;
    },
    get totalWeight() {
      return inner.totalWeight;
    },
    add(update, options) {
      const { values, l2Norm } = reader.read(update, clipNorm);
      inner.add({ encoding: "f32", values }, options);
      return { l2Norm };
    },
    state: () => inner.state(),
    restore: (state) => inner.restore(state),
    finish: () => inner.finish(),
    dispose() {
      inner.dispose();
      reader.dispose();
    },
  };
}
