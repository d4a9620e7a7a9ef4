import { anyNumber, integer, oneOf, outOfRange } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";
import {
  checkUpdate,
  checkWeight,
  clip,
  toUpdateNorm,
  type ModelUpdate,
  type UpdateNorm,
} from "./model-update.ts";

/** Size and accumulator for {@link VectorKernels.weightedMean}. */
export interface WeightedMeanOptions {
  /** Elements per update. */
  readonly length: number;
  /**
   * "f32" (the default) or "f64", which keeps the last bits over thousands of clients and needs twice the
   * memory.
   */
  readonly accumulator?: "f32" | "f64";
}

/**
 * Mean of updates that arrive one by one, in constant memory: federated averaging for any number of clients.
 * Source: McMahan et al., "Communication-Efficient Learning of Deep Networks", 2017.
 */
export interface WeightedMean {
  readonly length: number;
  /** Number of added updates. */
  readonly count: number;
  readonly totalWeight: number;
  /**
   * Returns a buffer in kernel memory for an f32 update. Values that are written there and passed to `add`
   * are not copied. The view is valid until memory grows, so call `incoming` for each update.
   */
  incoming(): Float32Array;
  /**
   * Adds an update with a weight above 0, usually the client's number of samples. An update whose norm
   * exceeds `clipNorm` is scaled down to `clipNorm`.
   *
   * @throws {RangeError} If the update contains NaN or an infinity. The mean is unchanged.
   */
  add(update: ModelUpdate, options: { readonly weight: number; readonly clipNorm?: number }): UpdateNorm;
  /**
   * Returns the mean of the added updates as the caller's own array: the sum in f32 or f64, divided in f64
   * and rounded once.
   *
   * @throws {RangeError} If no update was added.
   */
  result(): Float32Array;
  /** Discards all updates. */
  reset(): void;
  /** Releases the memory. A second call has no effect; any other later call throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Validated {@link WeightedMeanOptions}. */
export type WeightedMeanSpec = Required<WeightedMeanOptions>;

/**
 * Validates the options of {@link VectorKernels.weightedMean}.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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

/** Accumulator of a backend. */
export interface AccumulatorStore {
  incoming(): Float32Array;
  /** Returns the sum of squares of the update; not finite if an element is not finite. */
  squares(update: ModelUpdate): number;
  /** Adds `weight * update`. In an f32 accumulator the weight is first rounded to f32. */
  add(update: ModelUpdate, weight: number): void;
  /** Returns a new array with the sum times `factor`, in f64, rounded to f32. */
  scaled(factor: number): Float32Array;
  clear(): void;
  dispose(): void;
}

/** Creates the public mean over a backend's accumulator. */
export function createWeightedMean(
  spec: WeightedMeanSpec,
  {
    store,
    assertOpen,
  }: { readonly store: AccumulatorStore; readonly assertOpen: (action: string) => unknown },
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
      // Weights relative to the first weight keep the sum near the size of the updates.
      const unit = state.count === 0 ? weight : state.unit;
      const totalWeight = state.totalWeight + weight;
      if (!Number.isFinite(Math.fround(weight / unit)) || !Number.isFinite(totalWeight)) {
        outOfRange(
          { action, name: "weight" },
          { expected: `to be within 1e38 times the first, ${unit}, and the total within f64`, got: weight },
        );
      }
      const norm = toUpdateNorm(action, open.squares(update));
      open.add(update, (weight / unit) * clip(norm, limit));
      state = { count: state.count + 1, totalWeight, unit };
      return norm;
    },
    result() {
      const open = using("result");
      if (state.count === 0)
        throw new RangeError("result: expected at least one update to have been added; got none");
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

/**
 * Validates that a norm to clip to is a number above 0.
 *
 * @throws {TypeError} If the norm is not a number.
 * @throws {RangeError} If the norm is NaN or not above 0.
 */
export function checkNorm(action: string, clipNorm: unknown): number {
  const checked = anyNumber({ action, name: "clipNorm" }, clipNorm);
  if (checked <= 0) outOfRange({ action, name: "clipNorm" }, { expected: "to be above 0", got: checked });
  return checked;
}
