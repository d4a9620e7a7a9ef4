import type { Tensor } from "../../tensor.ts";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, clippedVoters, requireBase } from "../lib/batch-form.ts";
import { requireCohort } from "../lib/cohort.ts";
import { FedAvg } from "./fed-avg.ts";
import { plainUpdates } from "../lib/plain-updates.ts";
import { flatten, layoutOf, unflatten } from "../lib/whole-weights.ts";

/** Options of {@link normClipping}. */
export interface NormClippingOptions {
  /** Euclidean norm that larger updates are scaled down to. */
  readonly clipNorm: number;
  /** Rule that aggregates the clipped updates. Default: FedAvg. */
  readonly rule: Aggregator | undefined;
  /** For `aggregate` only: the model before the first call. */
  readonly initial: readonly Tensor[] | undefined;
}

/**
 * Any rule, with updates clipped before it sees them: one client of n moves a mean by at most `clipNorm`
 * times its share. Source: Sun et al., "Can You Really Backdoor Federated Learning?", 2019.
 */
export function normClipping({ clipNorm, rule, initial }: NormClippingOptions): Aggregator {
  const name = "NormClipping";
  // A mean clips while it adds, without a copy.
  if (rule === undefined) return { ...FedAvg({ clipNorm, initial }), name };
  return {
    name,
    minClients: rule.minClients,
    needsSumOnly: false,
    aggregate: batchForm({
      initial,
      next({ clients, base }) {
        const clipped = clippedVoters(clients, { base: requireBase(name, base), clipNorm });
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
    createAccumulator: (round) => clippedAccumulator(round, { rule, clipNorm }),
  };
}

function clippedAccumulator(
  round: AggregationRound,
  { rule, clipNorm }: { readonly rule: Aggregator; readonly clipNorm: number },
): Accumulator {
  const inner = rule.createAccumulator(round);
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
