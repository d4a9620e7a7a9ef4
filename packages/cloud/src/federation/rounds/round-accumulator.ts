import type { Aggregator, OpenAggregation } from "@sedna-js/core";
import type { ModelUpdate, VectorKernels } from "@sedna-js/wasm-kernels";
import { changeNorm, copyChange, scaleChange } from "../uploads/update-norm.ts";
import type { SumState } from "./round-journal.ts";
import { checkNorm, checkNumSamples, type Refusal, type UpdateLimits } from "../uploads/update-checks.ts";

/** What a round's sum is opened with. */
export interface RoundSumOptions {
  readonly round: number;
  readonly aggregator: Aggregator;
  readonly kernels: VectorKernels;
  readonly base: Float32Array;
  readonly memory: Float32Array | undefined;
  /** Most updates that may come. */
  readonly capacity: number;
  readonly limits: UpdateLimits;
  readonly random: () => number;
}

/** The updates of the open round; see {@link openRoundSum}. */
export interface RoundSum {
  readonly round: number;
  /** Parameters. */
  readonly length: number;
  readonly count: number;
  /** True for a rule that needs the updates themselves: whoever wants to restore it has to keep them. */
  readonly keepsUpdates: boolean;
  /** Why `add` would not take it: finite, norm, weight. It changes nothing. */
  check(change: ModelUpdate, numSamples: number): Refusal | undefined;
  /** Adds an update; what is refused changes nothing. A change that is too long is scaled down, in its own memory. */
  add(
    change: ModelUpdate,
    options: { readonly client: string; readonly numSamples: number; readonly staleness: number },
  ): Refusal | undefined;
  state(): SumState;
  restore(state: { readonly count: number; readonly totalWeight: number; readonly mean: Float32Array }): void;
  finish: OpenAggregation["finish"];
  dispose(): void;
}

/** An aggregation behind the checks that no rule should have to make. */
export function openRoundSum({
  round,
  aggregator,
  kernels,
  base,
  memory,
  capacity,
  limits,
  random,
}: RoundSumOptions): RoundSum {
  const open = aggregator.open({ kernels, base, capacity, memory, random });
  const keepsUpdates = open.state() === undefined;
  const isLimited = limits.clipNorm !== undefined || limits.refuseNorm !== undefined;
  const { clipNorm = Infinity } = limits;
  // A rule that takes updates apart may ask for memory while it does, and kernel memory that grows cuts off what lies in it.
  const own = (change: ModelUpdate): ModelUpdate => (aggregator.needsSumOnly ? change : copyChange(change));
  const judge = (norm: number, numSamples: number): Refusal | undefined =>
    checkNorm(norm, limits) ?? checkNumSamples(numSamples, limits);

  return {
    round,
    length: base.length,
    get count() {
      return open.count;
    },
    keepsUpdates,
    check: (change, numSamples) => judge(changeNorm(change), numSamples),
    add(change, { client, numSamples, staleness }) {
      const options = { weight: numSamples, client, staleness };
      // With a limit its length has to be known first. Without one the kernels find what is not finite as they add.
      if (isLimited || checkNumSamples(numSamples, limits)) {
        const norm = changeNorm(change);
        const refusal = judge(norm, numSamples);
        if (refusal) return refusal;
        open.add(own(norm > clipNorm ? scaleChange(change, clipNorm / norm) : change), options);
        return undefined;
      }
      try {
        open.add(own(change), options);
        return undefined;
      } catch (error) {
        const refusal = error instanceof RangeError ? checkNorm(changeNorm(change), limits) : undefined;
        if (!refusal) throw error;
        return refusal;
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
