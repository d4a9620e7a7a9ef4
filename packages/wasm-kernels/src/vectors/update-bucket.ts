import { integer, oneOf, outOfRange } from "../module/check.ts";
import { lifetime } from "../module/lifetime.ts";
import {
  checkUpdate,
  checkWeight,
  clip,
  toUpdateNorm,
  type ModelUpdate,
  type UpdateEncoding,
  type UpdateNorm,
} from "./model-update.ts";
import { checkNorm } from "./weighted-mean.ts";

/** Size and encoding for {@link VectorKernels.updateBucket}. */
export interface UpdateBucketOptions {
  /** Elements per update. */
  readonly length: number;
  /** Maximum number of updates. */
  readonly capacity: number;
  /** Encoding of all updates. Default "f32". */
  readonly encoding?: UpdateEncoding;
  /** Maximum number of entries in a "topk" update. Default `length`. */
  readonly entries?: number;
}

/**
 * Updates stored side by side in kernel memory, for rules that need all updates at once. Results are views of
 * kernel memory, valid until the next call of any kernel; copy a result to keep it. Sums are f32: values
 * above 3e38 divided by the number of updates overflow to infinity.
 */
export interface UpdateBucket {
  readonly length: number;
  readonly capacity: number;
  readonly encoding: UpdateEncoding;
  /** Number of added updates. */
  readonly count: number;
  /**
   * Returns a buffer in kernel memory for the next update, in the form that `add` accepts. Values that are
   * written there and passed to `add` are not copied. Pass a shorter "topk" update as `subarray(0, n)` of
   * both arrays. The buffer is valid for one `add` and until memory grows, so call `incoming` for each
   * update.
   */
  incoming(): ModelUpdate;
  /**
   * Adds an update with a weight above 0.
   *
   * @throws {RangeError} If the update contains NaN or an infinity. The bucket is unchanged.
   */
  add(update: ModelUpdate, options: { readonly weight: number }): UpdateNorm;
  /**
   * Returns the weighted mean. Weights are normalized in f64 and rounded to f32; sums are f32 in the order of
   * the updates. For "int8" updates, weights times scales are rounded to 16-bit integers within each group of
   * ten updates: the mean is within `count * 127 / 2^16` of the largest `weight * scale` among them. An
   * update whose norm exceeds `clipNorm` is scaled down to `clipNorm`.
   */
  mean(options?: { readonly clipNorm?: number }): Float32Array;
  /**
   * Returns the unweighted median of each coordinate; for an even count, the mean of the middle two. "f32"
   * only.
   */
  median(): Float32Array;
  /**
   * Returns the unweighted mean of each coordinate without its `trim` smallest and `trim` largest values.
   * "f32" only. Source: Yin et al., "Byzantine-Robust Distributed Learning", 2018.
   */
  trimmedMean(options: { readonly trim: number }): Float32Array;
  /** Discards all updates. */
  reset(): void;
  /** Releases the memory. A second call has no effect; any other later call throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Validated {@link UpdateBucketOptions}. */
export type UpdateBucketSpec = Required<UpdateBucketOptions>;

/**
 * Validates the options of {@link VectorKernels.updateBucket}.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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

/** Backend storage of resident updates. */
export interface BucketStore {
  /** Returns the buffer of update `index`. */
  room(index: number): ModelUpdate;
  /**
   * Stores an update, which has the encoding of the bucket, at `index`. Returns the sum of its squares, which
   * is not finite if an element is not finite.
   */
  put(index: number, update: ModelUpdate): number;
  /** Returns the weighted sum of the first `weights.length` updates. */
  sum(weights: readonly number[]): Float32Array;
  /** Returns, for each coordinate, the mean of the ranks `low..high` over the first `count` updates. */
  sortedMean(options: { readonly count: number; readonly low: number; readonly high: number }): Float32Array;
  dispose(): void;
}

/** Creates the public bucket over a backend's store. */
export function createUpdateBucket(
  spec: UpdateBucketSpec,
  { store, assertOpen }: { readonly store: BucketStore; readonly assertOpen: (action: string) => unknown },
): UpdateBucket {
  const { using, dispose } = lifetime({ what: "an update bucket" }, { store, assertOpen });
  const updates: ({ readonly weight: number } & UpdateNorm)[] = [];

  const filled = (action: string): BucketStore => {
    const open = using(action);
    if (updates.length === 0)
      throw new RangeError(`${action}: expected at least one update to have been added; got none`);
    return open;
  };
  const place = (action: string): number => {
    if (updates.length === spec.capacity)
      throw new RangeError(`${action}: expected at most ${spec.capacity} updates (capacity); got one more`);
    return updates.length;
  };
  const sorted = (action: string, trim: number): Float32Array => {
    const open = filled(action);
    if (spec.encoding !== "f32")
      throw new RangeError(`${action}: expected a bucket of encoding "f32"; got "${spec.encoding}"`);
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
          `add: expected an update of encoding "${spec.encoding}"; got "${update.encoding}"`,
        );
      if (update.values.length > spec.entries && update.encoding === "topk")
        outOfRange(
          { action, name: "update.values" },
          { expected: `to have at most ${spec.entries} elements (entries)`, got: update.values.length },
        );
      const weight = checkWeight(action, options?.weight);
      const norm = toUpdateNorm(action, open.put(place(action), update));
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
