import type { Aggregator } from "@sedna-js/core";
import type { Accumulator } from "@sedna-js/core/aggregation";
import type { ModelUpdate, VectorKernels } from "@sedna-js/wasm-kernels";
import { updateNorm, copyUpdate, scaleUpdate } from "../updates/update-norm.ts";
import type { AccumulatorState } from "./round-journal.ts";
import { checkNorm, checkNumSamples, type Rejection, type UpdateLimits } from "../updates/validate-update.ts";

/** Options of {@link createRoundAccumulator}. */
export interface RoundAccumulatorOptions {
  readonly round: number;
  readonly aggregator: Aggregator;
  readonly kernels: VectorKernels;
  readonly base: Float32Array;
  readonly serverState: Float32Array | undefined;
  /** Maximum number of updates. */
  readonly capacity: number;
  readonly limits: UpdateLimits;
  readonly random: () => number;
}

/** The updates of the open round; see {@link createRoundAccumulator}. */
export interface RoundAccumulator {
  readonly round: number;
  /** Number of parameters. */
  readonly length: number;
  readonly count: number;
  /**
   * True if the aggregator needs the updates themselves: to restore the accumulator, the caller must keep
   * them.
   */
  readonly keepsUpdates: boolean;
  /** Returns the reason why `add` would reject an update: not finite, norm, or weight. It changes nothing. */
  check(change: ModelUpdate, numSamples: number): Rejection | undefined;
  /**
   * Adds an update. A rejected update changes nothing. An update above the clip norm is scaled down, if
   * possible in place.
   */
  add(
    change: ModelUpdate,
    options: { readonly client: string; readonly numSamples: number; readonly staleness: number },
  ): Rejection | undefined;
  state(): AccumulatorState;
  restore(state: { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array }): void;
  finish: Accumulator["finish"];
  dispose(): void;
}

/** Creates an accumulator with the checks that every aggregator needs. */
export function createRoundAccumulator({
  round,
  aggregator,
  kernels,
  base,
  serverState,
  capacity,
  limits,
  random,
}: RoundAccumulatorOptions): RoundAccumulator {
  const open = aggregator.createAccumulator({ kernels, base, capacity, serverState, random });
  const keepsUpdates = open.state() === undefined;
  const isLimited = limits.clipNorm !== undefined || limits.maxUpdateNorm !== undefined;
  const { clipNorm = Infinity } = limits;
  // An aggregator that needs the updates may allocate kernel memory while it adds one, and growing kernel
  // memory detaches the views of it.
  const own = (change: ModelUpdate): ModelUpdate => (aggregator.needsSumOnly ? change : copyUpdate(change));
  const judge = (norm: number, numSamples: number): Rejection | undefined =>
    checkNorm(norm, limits) ?? checkNumSamples(numSamples, limits);

  return {
    round,
    length: base.length,
    get count() {
      return open.count;
    },
    keepsUpdates,
    check: (change, numSamples) => judge(updateNorm(change), numSamples),
    add(change, { client, numSamples, staleness }) {
      const options = { weight: numSamples, client, staleness };
      // With a norm limit, compute the norm first. Without one, the kernels find values that are not finite
      // while they add.
      if (isLimited || checkNumSamples(numSamples, limits)) {
        const norm = updateNorm(change);
        const rejection = judge(norm, numSamples);
        if (rejection) return rejection;
        open.add(own(norm > clipNorm ? scaleUpdate(change, clipNorm / norm) : change), options);
        return undefined;
      }
      try {
        open.add(own(change), options);
        return undefined;
      } catch (error) {
        const rejection = error instanceof RangeError ? checkNorm(updateNorm(change), limits) : undefined;
        if (!rejection) throw error;
        return rejection;
      }
    },
    state() {
      const state = open.state();
      return { round, count: open.count, totalWeight: open.totalWeight, mean: state?.mean };
    },
    restore: (state) => open.restore(state),
    finish: () => open.finish(),
    dispose: () => open.dispose(),
  };
}
