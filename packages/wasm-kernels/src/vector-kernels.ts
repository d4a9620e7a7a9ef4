/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "./backend.ts";
import type { Gallery, GalleryOptions } from "./gallery.ts";
import type { HeadTrainer } from "./head-trainer.ts";
import type { HeadTrainerOptions } from "./head-training.ts";
import type { UpdateBucket, UpdateBucketOptions } from "./update-bucket.ts";
import type { WeightedMean, WeightedMeanOptions } from "./weighted-mean.ts";

/**
 * The kernels that work on many long vectors: averaging of model updates, matching against a gallery,
 * training of small heads. What they make is resident in their memory until it is disposed.
 *
 * Bad input throws before anything is touched: a TypeError for a wrong kind of value, a RangeError for
 * a wrong value. After `dispose` every call throws an Error.
 */
export interface VectorKernels {
  readonly backend: BackendName;

  /** A mean of updates that arrive one by one, in constant memory. The backends give the same bits. */
  weightedMean(options: WeightedMeanOptions): WeightedMean;

  /** Updates side by side, for the fused mean and for the rules that must see all of them. The backends give the same bits. */
  updateBucket(options: UpdateBucketOptions): UpdateBucket;

  /**
   * Vectors by id, for the nearest by cosine. With "f32" the backends give the same bits; with "int8" and
   * "binary", scores within 1e-6, and each its own rows where a scan misses one.
   */
  gallery(options: GalleryOptions): Gallery;

  /**
   * A trainer of a small classifier on frozen features, with memory of its own for a copy of the samples. The same
   * options give the same bits each time. Backends add up in another order: after five epochs their parameters
   * are within 3e-5 of the largest one. Where a gradient is 0 but for rounding (all classes equally often in a batch,
   * from zeros), Adam makes a step of that rounding, and they may be further apart.
   */
  headTrainer(options: HeadTrainerOptions): HeadTrainer;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}
