import { anyNumber, integer, oneOf, outOfRange } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";
import { checkUpdate, checkWeight, clip, normOf, type ModelUpdate, type UpdateNorm } from "./model-update.ts";

/** What {@link VectorKernels.weightedMean} takes. */
export interface WeightedMeanOptions {
  /** Numbers in each update. */
  readonly length: number;
  /** "f32" (the default) or "f64", which keeps the last bits over thousands of clients in twice the memory. */
  readonly accumulator?: "f32" | "f64";
}

/**
 * A mean of updates that arrive one by one, in constant memory: federated averaging for any number of
 * clients. Source: McMahan et al., "Communication-Efficient Learning of Deep Networks", 2017.
 */
export interface WeightedMean {
  readonly length: number;
  /** Updates added. */
  readonly count: number;
  readonly totalWeight: number;
  /**
   * Room for an f32 update in kernel memory: what is written there and then passed to `add` isn't copied.
   * Good until memory grows, so ask anew for each update.
   */
  incoming(): Float32Array;
  /**
   * Adds an update with a weight above 0, usually the client's number of samples. An update with a NaN or an
   * infinity is refused with a RangeError, and nothing has changed. `maxNorm` clips: an update of a larger
   * norm counts as if it were scaled down to it.
   */
  add(update: ModelUpdate, options: { readonly weight: number; readonly clipNorm?: number }): UpdateNorm;
  /** The mean so far, as the caller's own array: the sum in f32 or f64, divided in f64 and rounded once. Throws a RangeError before the first update. */
  result(): Float32Array;
  /** Forgets all updates. */
  reset(): void;
  /** Gives its memory back. A second call does nothing; any other call after it throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** {@link WeightedMeanOptions} that passed the checks. */
export type WeightedMeanSpec = Required<WeightedMeanOptions>;

/** Throws TypeError or RangeError. */
export function checkWeightedMean(options: WeightedMeanOptions): WeightedMeanSpec {
  const action = "weightedMean";
  return {
    length: integer({ action, name: "length" }, { value: options.length, least: 1, most: 0x3fffffff }),
    accumulator: oneOf(
      { action, name: "accumulator" },
      { value: options.accumulator ?? "f32", choices: ["f32", "f64"] },
    ),
  };
}

/** The sum of a backend. */
export interface SumStore {
  incoming(): Float32Array;
  /** Sum of squares of the update; not finite when a number isn't. */
  squares(update: ModelUpdate): number;
  /** Adds `weight * update`; in an f32 sum the weight is rounded to f32 first. */
  add(update: ModelUpdate, weight: number): void;
  /** A new array of the sum times `factor`, in f64, rounded to f32. */
  scaled(factor: number): Float32Array;
  clear(): void;
  dispose(): void;
}

/** The public mean over a backend's sum. */
export function createWeightedMean(
  spec: WeightedMeanSpec,
  { store, assertOpen }: { readonly store: SumStore; readonly assertOpen: (action: string) => unknown },
): WeightedMean {
  const { using, dispose } = lifetime({ what: "a weighted mean" }, { store, assertOpen });
  let state = { count: 0, totalWeight: 0, unit: 0 };

  return {
    length: spec.length,
    get count() {
      return state.count;
    },
    get totalWeight() {
      return state.totalWeight;
    },
    incoming: () => using("incoming").incoming(),
    add(update, options) {
      const action = "add";
      const open = using(action);
      checkUpdate(update, { action, length: spec.length });
      const weight = checkWeight(action, options?.weight);
      const limit = options.clipNorm === undefined ? Infinity : checkNorm(action, options.clipNorm);
      // Weights relative to the first one keep the sum near the size of the updates themselves.
      const unit = state.count === 0 ? weight : state.unit;
      const totalWeight = state.totalWeight + weight;
      if (!Number.isFinite(Math.fround(weight / unit)) || !Number.isFinite(totalWeight)) {
        outOfRange(
          { action, name: "weight" },
          { expected: `to be within 1e38 times the first, ${unit}, and the total within f64`, got: weight },
        );
      }
      const norm = normOf(action, open.squares(update));
      open.add(update, (weight / unit) * clip(norm, limit));
      state = { count: state.count + 1, totalWeight, unit };
      return norm;
    },
    result() {
      const open = using("result");
      if (state.count === 0)
        throw new RangeError("result: expected at least one update to have been added, got none");
      return open.scaled(state.unit / state.totalWeight);
    },
    reset() {
      using("reset").clear();
      state = { count: 0, totalWeight: 0, unit: 0 };
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** Throws unless a length to clip to is a number above 0. */
export function checkNorm(action: string, clipNorm: unknown): number {
  const checked = anyNumber({ action, name: "clipNorm" }, clipNorm);
  if (checked <= 0) outOfRange({ action, name: "clipNorm" }, { expected: "to be above 0", got: checked });
  return checked;
}
