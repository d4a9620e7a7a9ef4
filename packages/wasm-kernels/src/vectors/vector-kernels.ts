/// <reference lib="esnext.disposable" preserve="true" />
import { createGallery, type GalleryStore } from "../gallery/create-gallery.ts";
import { checkGallery, type Gallery, type GalleryOptions, type GallerySpec } from "../gallery/gallery.ts";
import type { BackendName } from "../module/backend.ts";
import { typedArray } from "../module/check.ts";
import { disposableBackend } from "../module/lifetime.ts";
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
} from "./update-buffer.ts";
import {
  checkWeightedMean,
  createWeightedMean,
  type AccumulatorStore,
  type WeightedMean,
  type WeightedMeanOptions,
  type WeightedMeanSpec,
} from "./weighted-mean.ts";

/**
 * Kernels that work on many long vectors: averaging model updates, and matching against a gallery. The
 * objects that they create stay in kernel memory until they are disposed.
 *
 * Invalid input throws before anything is modified: a TypeError for a value of the wrong type, a RangeError
 * for a value out of range. After `dispose` every call throws an Error.
 */
export interface VectorKernels {
  readonly backend: BackendName;

  /**
   * Creates a mean of updates that arrive one by one, in constant memory. All backends return the same bits.
   */
  weightedMean(options: WeightedMeanOptions): WeightedMean;

  /**
   * Creates a bucket of updates, for the fused mean and for the rules that need all updates at once. All
   * backends return the same bits.
   */
  updateBucket(options: UpdateBucketOptions): UpdateBucket;

  /**
   * Creates a gallery of vectors by id that finds the nearest vectors by cosine. With "f32" all backends
   * return the same bits. With "int8" and "binary" their scores agree within 1e-6, and a scan may miss
   * different rows.
   */
  gallery(options: GalleryOptions): Gallery;

  /** Returns the {@link checksum} of bytes, at the speed of memory. Bytes in kernel memory are not copied. */
  checksum(bytes: Uint8Array): number;

  /**
   * Allocates a buffer in kernel memory for the message of an update. Values in the buffer that are passed to
   * a mean are not copied. The buffer starts as zeros.
   */
  updateBuffer(options: UpdateBufferOptions): UpdateBuffer;

  /** Releases all memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Backend of the vector kernels. Arguments are already validated. */
interface VectorBackend {
  readonly name: BackendName;
  weightedMean(spec: WeightedMeanSpec): AccumulatorStore;
  updateBucket(spec: UpdateBucketSpec): BucketStore;
  gallery(spec: GallerySpec): GalleryStore;
  checksum(bytes: Uint8Array): number;
  updateBuffer(bytes: number): BufferStore;
}

/** Creates the public vector kernels over a backend. Arguments are validated here, once for all backends. */
export function createVectorKernels(backend: VectorBackend): VectorKernels {
  const { opened, dispose } = disposableBackend(backend);
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
        store: opened("updateBuffer").updateBuffer(checkUpdateBuffer(options)),
        assertOpen: opened,
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
