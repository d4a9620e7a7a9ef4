import { checksum } from "../checksum.ts";
import { createVectorKernels, type VectorKernels } from "../vector-kernels.ts";

import { referenceBucketStore, referenceAccumulatorStore } from "./averaging.ts";
import { referenceGalleryStore } from "../../gallery/reference/gallery-store.ts";

/** Creates the reference vector kernels: simple loops in plain TypeScript. */
export function referenceVectorKernels(): VectorKernels {
  return createVectorKernels({
    name: "reference",
    weightedMean: referenceAccumulatorStore,
    updateBucket: referenceBucketStore,
    checksum,
    updateBuffer(bytes) {
      let room = new Uint8Array(bytes);
      return { bytes: () => room, dispose: () => (room = new Uint8Array(0)) };
    },
    gallery: referenceGalleryStore,
  });
}
