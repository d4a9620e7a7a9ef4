/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "./backend.ts";
import type { Gallery, GalleryOptions } from "./gallery.ts";
import type { UpdateBucket, UpdateBucketOptions } from "./update-bucket.ts";
import type { UpdateRoom, UpdateRoomOptions } from "./update-room.ts";
import type { WeightedMean, WeightedMeanOptions } from "./weighted-mean.ts";

/**
 * The kernels that work on many long vectors: averaging of model updates, matching against a gallery. What
 * they make is resident in their memory until it is disposed.
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

  /** The {@link checksum} of bytes, as fast as memory gives them; those in the kernels' memory aren't copied. */
  checksum(bytes: Uint8Array): number;

  /**
   * Room in kernel memory for the message of an update: numbers that lie in it and are passed to a mean aren't copied.
   * It starts as zeros.
   */
  updateRoom(options: UpdateRoomOptions): UpdateRoom;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}
