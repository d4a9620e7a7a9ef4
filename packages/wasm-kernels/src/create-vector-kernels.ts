import type { VectorBackend } from "./backend.ts";
import { typedArray } from "./check.ts";
import { createGallery } from "./create-gallery.ts";
import { checkGallery } from "./gallery.ts";
import { openBackend } from "./lifetime.ts";
import { checkUpdateBucket, createUpdateBucket } from "./update-bucket.ts";
import { checkUpdateRoom, createUpdateRoom } from "./update-room.ts";
import type { VectorKernels } from "./vector-kernels.ts";
import { checkWeightedMean, createWeightedMean } from "./weighted-mean.ts";

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
    updateRoom(options) {
      return createUpdateRoom({
        store: opened("updateRoom").updateRoom(checkUpdateRoom(options)),
        assertOpen: opened,
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
