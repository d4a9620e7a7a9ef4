import type { VectorKernels } from "@sedna-js/wasm-kernels";
import type { AggregationRound, Aggregator, Accumulator } from "../aggregator.ts";
import { batchForm, voters } from "./batch-form.ts";
import { requireCohort } from "./cohort.ts";
import { plainUpdates } from "./plain-updates.ts";
import { sgdServer, stepServer } from "../server-optimizer.ts";
import { checkWeight } from "./update-weight.ts";
import { flatten } from "./whole-weights.ts";

/** Configuration of a rule that compares updates with each other. */
export interface RobustRule {
  readonly name: string;
  readonly minClients: number;
  /** Reduces at least `minClients` finite vectors to one, on the kernels. */
  reduce(updates: readonly Float32Array[], kernels: VectorKernels): Float32Array;
  /** Same reduction in float64 for Sedna's batch form: slow and simple. */
  reducePlain(updates: readonly Float64Array[]): Float64Array;
}

/**
 * Creates a rule that keeps all updates of a round and weighs each client equally: a client cannot gain
 * influence by its reported number of samples. In Sedna's batch form, clients without samples or with numbers
 * that are not finite are ignored.
 */
export function robustAggregator(rule: RobustRule): Aggregator {
  const { name, minClients, reducePlain } = rule;
  return {
    name,
    minClients,
    needsSumOnly: false,
    aggregate: batchForm({
      next({ clients }) {
        const votes = voters(clients).map(({ weights }) => flatten(weights));
        requireCohort(name, { expected: minClients, got: votes.length });
        return reducePlain(votes);
      },
    }),
    createAccumulator: (round) => robustAccumulator(round, rule),
  };
}

function robustAccumulator(
  { kernels, base, capacity }: AggregationRound,
  { name, minClients, reduce }: RobustRule,
): Accumulator {
  const reader = plainUpdates(kernels, base.length);
  const updates: Float32Array[] = [];
  let totalWeight = 0;
  return {
    get count() {
      return updates.length;
    },
    get totalWeight() {
      return totalWeight;
    },
    add(update, { weight }) {
      checkWeight(weight);
      if (updates.length === capacity)
        throw new RangeError(`add an update: expected at most ${capacity} (capacity); got one more`);
      const { values, l2Norm } = reader.read(update);
      updates.push(values);
      totalWeight += weight;
      return { l2Norm };
    },
    state: () => undefined,
    restore: () => noRestore(name),
    finish() {
      requireCohort(name, { expected: minClients, got: updates.length });
      return stepServer(name, {
        server: sgdServer(),
        turn: { base, change: reduce(updates, kernels), serverState: undefined },
      }) as ReturnType<Accumulator["finish"]>;
    },
    dispose() {
      updates.length = 0;
      reader.dispose();
    },
  };
}

/**
 * Throws in `restore` of a rule that has no state to restore.
 * @throws {TypeError} Always.
 */
export function noRestore(rule: string): never {
  throw new TypeError(
    `restore ${rule}: expected a rule whose state() is a mean; got a rule that needs the updates themselves`,
  );
}
