/// <reference lib="esnext.disposable" preserve="true" />
import { createGallery, type GalleryStore } from "../gallery/create-gallery.ts";
import { checkGallery, type Gallery, type GalleryOptions, type GallerySpec } from "../gallery/gallery.ts";
import type { BackendName } from "../module/backend.ts";
import { typedArray } from "../module/check.ts";
import { openBackend } from "../module/lifetime.ts";
import {
  type BucketStore,
  checkUpdateBucket,
  createUpdateBucket,
  type UpdateBucket,
  type UpdateBucketOptions,
  type UpdateBucketSpec,
} from "./update-bucket.ts";
import {
  checkUpdateBuffer,
  createUpdateBuffer,
  type BufferStore,
  type UpdateBuffer,
  type UpdateBufferOptions,
} from "./update-room.ts";
import {
  checkWeightedMean,
  createWeightedMean,
  type SumStore,
  type WeightedMean,
  type WeightedMeanOptions,
  type WeightedMeanSpec,
} from "./weighted-mean.ts";

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
  updateBuffer(options: UpdateBufferOptions): UpdateBuffer;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** One way to compute the vector kernels. Arguments have been checked. */
interface VectorBackend {
  readonly name: BackendName;
  weightedMean(spec: WeightedMeanSpec): SumStore;
  updateBucket(spec: UpdateBucketSpec): BucketStore;
  gallery(spec: GallerySpec): GalleryStore;
  checksum(bytes: Uint8Array): number;
  updateBuffer(bytes: number): BufferStore;
}

/** The public vector kernels over a backend: every check is made here, once for all backends. */
export function createVectorKernels(backend: VectorBackend): VectorKernels {
  const { opened, dispose } = openBackend(backend);
  return {
    backend: backend.name,
    weightedMean(options) {
      const spec = checkWeightedMean(options);
      return createWeightedMean(spec, {
        store: opened("weightedMean").weightedMean(spec),
        assertOpen: opened,
      });
    },
    updateBucket(options) {
      const spec = checkUpdateBucket(options);
      return createUpdateBucket(spec, {
        store: opened("updateBucket").updateBucket(spec),
        assertOpen: opened,
      });
    },
    gallery(options) {
      const spec = checkGallery(options);
      return createGallery(spec, { store: opened("gallery").gallery(spec), assertOpen: opened });
    },
    checksum(bytes) {
      return opened("checksum").checksum(
        typedArray({ action: "checksum", name: "bytes" }, { kind: "Uint8Array", value: bytes }),
      );
    },
    updateBuffer(options) {
      return createUpdateBuffer({
        store: opened("updateRoom").updateBuffer(checkUpdateBuffer(options)),
        assertOpen: opened,
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
