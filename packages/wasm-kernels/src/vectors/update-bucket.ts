import { integer, oneOf, outOfRange } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";
import {
  checkUpdate,
  checkWeight,
  clip,
  normOf,
  type ModelUpdate,
  type UpdateEncoding,
  type UpdateNorm,
} from "./model-update.ts";
import { checkNorm } from "./weighted-mean.ts";

/** What {@link VectorKernels.updateBucket} takes. */
export interface UpdateBucketOptions {
  /** Numbers in each update. */
  readonly length: number;
  /** Most updates that it holds. */
  readonly capacity: number;
  /** "f32" unless given; all updates of a bucket are of one encoding. */
  readonly encoding?: UpdateEncoding;
  /** Most entries of a "topk" update; `length` unless given. */
  readonly entries?: number;
}

/**
 * Updates that are resident side by side, for rules that must see all of them at once. Its results are views
 * of kernel memory: good until the next call of any kernel; copy what you keep. Sums are f32: numbers above
 * 3e38 divided by the count of updates overflow to an infinity.
 */
export interface UpdateBucket {
  readonly length: number;
  readonly capacity: number;
  readonly encoding: UpdateEncoding;
  /** Updates added. */
  readonly count: number;
  /**
   * Room for the next update in kernel memory, in the shape that `add` takes: what is written there and
   * passed to `add` isn't copied. A shorter "topk" update is passed as `subarray(0, n)` of both arrays. Good for
   * that one `add`, and until memory grows: ask anew for each update.
   */
  incoming(): ModelUpdate;
  /**
   * Adds an update with a weight above 0. An update with a NaN or an infinity is refused with a RangeError,
   * and nothing has changed.
   */
  add(update: ModelUpdate, options: { readonly weight: number }): UpdateNorm;
  /**
   * The weighted mean. Weights are normalised in f64 and rounded to f32; sums are f32 in the order of the
   * updates. Of "int8" updates, weights times scales are rounded to 16-bit integers within each ten updates:
   * the mean is within `count * 127 / 2^16` of the largest `weight * scale` among them. `maxNorm` scales updates of a larger norm down to it.
   */
  mean(options?: { readonly clipNorm?: number }): Float32Array;
  /** The unweighted median of each coordinate: of an even count, the mean of the middle two. "f32" only. */
  median(): Float32Array;
  /**
   * The unweighted mean of each coordinate without its `trim` least and `trim` greatest values. "f32" only.
   * Source: Yin et al., "Byzantine-Robust Distributed Learning", 2018.
   */
  trimmedMean(options: { readonly trim: number }): Float32Array;
  /** Forgets all updates. */
  reset(): void;
  /** Gives its memory back. A second call does nothing; any other call after it throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** {@link UpdateBucketOptions} that passed the checks. */
export type UpdateBucketSpec = Required<UpdateBucketOptions>;

/** Throws TypeError or RangeError. */
export function checkUpdateBucket(options: UpdateBucketOptions): UpdateBucketSpec {
  const action = "updateBucket";
  const length = integer({ action, name: "length" }, { value: options.length, least: 1, most: 0x3fffffff });
  return {
    length,
    capacity: integer({ action, name: "capacity" }, { value: options.capacity, least: 1, most: 0xffff }),
    encoding: oneOf(
      { action, name: "encoding" },
      { value: options.encoding ?? "f32", choices: ["f32", "f16", "int8", "topk"] },
    ),
    entries:
      options.entries === undefined
        ? length
        : integer({ action, name: "entries" }, { value: options.entries, least: 1, most: length }),
  };
}

/** The resident updates of a backend. */
export interface BucketStore {
  /** Room for update `index`. */
  room(index: number): ModelUpdate;
  /** Puts the update, which is of the bucket's encoding, into place `index`; sum of its squares, not finite when a number isn't. */
  put(index: number, update: ModelUpdate): number;
  /** Weighted sum of the first updates, as many as there are weights. */
  sum(weights: readonly number[]): Float32Array;
  /** Mean of the ranks `low..high` of each coordinate over the first `count` updates. */
  sortedMean(options: { readonly count: number; readonly low: number; readonly high: number }): Float32Array;
  dispose(): void;
}

/** The public bucket over a backend's store. */
export function createUpdateBucket(
  spec: UpdateBucketSpec,
  { store, assertOpen }: { readonly store: BucketStore; readonly assertOpen: (action: string) => unknown },
): UpdateBucket {
  const { using, dispose } = lifetime({ what: "an update bucket" }, { store, assertOpen });
  const updates: ({ readonly weight: number } & UpdateNorm)[] = [];

  const filled = (action: string): BucketStore => {
    const open = using(action);
    if (updates.length === 0)
      throw new RangeError(`${action}: expected at least one update to have been added, got none`);
    return open;
  };
  const place = (action: string): number => {
    if (updates.length === spec.capacity)
      throw new RangeError(`${action}: expected at most ${spec.capacity} updates (capacity), got one more`);
    return updates.length;
  };
  const sorted = (action: string, trim: number): Float32Array => {
    const open = filled(action);
    if (spec.encoding !== "f32")
      throw new RangeError(`${action}: expected a bucket of encoding "f32", got "${spec.encoding}"`);
    return open.sortedMean({ count: updates.length, low: trim, high: updates.length - trim });
  };

  return {
    length: spec.length,
    capacity: spec.capacity,
    encoding: spec.encoding,
    get count() {
      return updates.length;
    },
    incoming: () => using("incoming").room(place("incoming")),
    add(update, options) {
      const action = "add";
      const open = using(action);
      checkUpdate(update, { action, length: spec.length });
      if (update.encoding !== spec.encoding)
        throw new RangeError(
          `add: expected an update of encoding "${spec.encoding}", got "${update.encoding}"`,
        );
      if (update.values.length > spec.entries && update.encoding === "topk")
        outOfRange(
          { action, name: "update.values" },
          { expected: `to have at most ${spec.entries} elements (entries)`, got: update.values.length },
        );
      const weight = checkWeight(action, options?.weight);
      const norm = normOf(action, open.put(place(action), update));
      updates.push({ weight, ...norm });
      return norm;
    },
    mean({ clipNorm } = {}) {
      const limit = clipNorm === undefined ? Infinity : checkNorm("mean", clipNorm);
      const open = filled("mean");
      const total = updates.reduce((sum, { weight }) => sum + weight, 0);
      if (!Number.isFinite(total))
        outOfRange(
          { action: "mean", name: "the total of the weights" },
          { expected: "to be finite", got: total },
        );
      return open.sum(updates.map(({ weight, l2Norm }) => (weight / total) * clip({ l2Norm }, limit)));
    },
    median: () => sorted("median", Math.floor((updates.length - 1) / 2)),
    trimmedMean(options) {
      filled("trimmedMean");
      const most = Math.ceil(updates.length / 2) - 1;
      return sorted(
        "trimmedMean",
        integer({ action: "trimmedMean", name: "trim" }, { value: options?.trim, least: 0, most }),
      );
    },
    reset() {
      using("reset");
      updates.length = 0;
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
