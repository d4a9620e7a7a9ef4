import type { BackendName } from "../backend.ts";
import { createVectorKernels } from "../create-vector-kernels.ts";
import type { VectorKernels } from "../vector-kernels.ts";
import { wasmBucketStore } from "./bucket-store.ts";
import { wasmChecksum } from "./checksum.ts";
import { wasmGalleryStore } from "./gallery-store.ts";
import { kernelMemory } from "./kernel-memory.ts";
import { wasmRoomStore } from "./room-store.ts";
import { wasmSumStore } from "./sum-store.ts";
import type { VectorExports } from "./vector-exports.ts";

/** The vector kernels over an instance of one of their modules, which nothing else may use. */
export function wasmVectorKernels(
  exports: VectorExports,
  name: Exclude<BackendName, "reference">,
): VectorKernels {
  const memory = kernelMemory(exports);
  return createVectorKernels({
    name,
    weightedMean: (spec) => wasmSumStore(memory, spec),
    updateBucket: (spec) => wasmBucketStore(memory, spec),
    checksum: (bytes) => wasmChecksum(memory, bytes),
    updateRoom: (bytes) => wasmRoomStore(memory, bytes),
    gallery: (spec) => wasmGalleryStore(memory, spec),
  });
}
