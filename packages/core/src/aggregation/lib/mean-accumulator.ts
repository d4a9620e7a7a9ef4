import type { AggregationRound, Accumulator } from "../aggregator.ts";
import { sgdServer, type ServerOptimizer, stepServer } from "../server-optimizer.ts";
import { requireCohort } from "./cohort.ts";
import { checkWeight } from "./update-weight.ts";

/** Configuration of a mean rule. */
export interface MeanRule {
  readonly name: string;
  /** Server optimizer. Default: adds the mean update. */
  readonly server?: ServerOptimizer | undefined;
  /** Norm that larger updates are scaled down to. Default: no clipping. */
  readonly clipNorm?: number | undefined;
  /** Exponent of {@link stalenessWeight}. Default 0.5. */
  readonly exponent?: number | undefined;
}

/**
 * Creates an accumulator of a weighted mean of updates in constant memory, followed by a step of the server
 * optimizer. A stale update is discounted in the sum but not in the total weight that divides it: a round of
 * stale updates makes a smaller step, as in FedBuff.
 */
export function meanAccumulator(
  { kernels, base, serverState }: AggregationRound,
  { name, server = sgdServer(), clipNorm, exponent }: MeanRule,
): Accumulator {
  const clip = clipNorm === undefined ? {} : { clipNorm };
  const sum = kernels.weightedMean({ length: base.length, accumulator: "f64" });
  let count = 0;
  let totalWeight = 0;

  const meanChange = (): Float32Array => {
    const change = sum.result();
    const discount = sum.totalWeight / totalWeight;
    if (discount !== 1) for (let i = 0; i < change.length; i++) change[i]! *= discount;
    return change;
  };

  return {
    get count() {
      return count;
    },
    get totalWeight() {
      return totalWeight;
    },
    add(update, { weight, staleness = 0 }) {
      checkWeight(weight);
      const norm = sum.add(update, { weight: weight * stalenessWeight(staleness, exponent), ...clip });
      count += 1;
      totalWeight += weight;
      return norm;
    },
    state: () => ({ count, totalWeight, mean: count === 0 ? new Float32Array(base.length) : meanChange() }),
    restore(state) {
      if (state.count === 0) return;
      // The restored mean is already clipped and discounted.
      sum.add({ encoding: "f32", values: state.mean }, { weight: state.totalWeight });
      count += state.count;
      totalWeight += state.totalWeight;
    },
    finish() {
      requireCohort(name, { expected: 1, got: count });
      return stepServer(name, { server, turn: { base, change: meanChange(), serverState } }) as ReturnType<
        Accumulator["finish"]
      >;
    },
    dispose: () => sum.dispose(),
  };
}

/**
 * Returns the weight of an update that was trained on a model `staleness` versions old: `(1 + staleness) **
 * -exponent`, in (0,1].
 *
 * Source: Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", 2022, with an exponent
 * of 0.5.
 *
 * @throws {RangeError} If either argument is negative, NaN or infinite.
 */
export function stalenessWeight(staleness: number, exponent = 0.5): number {
  if (!(staleness >= 0 && staleness < Infinity))
    throw new RangeError(`weigh an update: expected a staleness of at least 0; got ${staleness}`);
  if (!(exponent >= 0 && exponent < Infinity))
    throw new RangeError(`weigh an update: expected an exponent of at least 0; got ${exponent}`);
  return (1 + staleness) ** -exponent;
}
