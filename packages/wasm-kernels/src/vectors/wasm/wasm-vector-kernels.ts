import { wasmGalleryStore } from "../../gallery/wasm/gallery-store.ts";
import type { BackendName } from "../../module/backend.ts";
import { kernelMemory } from "../../module/kernel-memory.ts";
import { finishChecksum, paddedTail, STRIPE, SUMS } from "../checksum.ts";
import type { BufferStore } from "../update-buffer.ts";
import { createVectorKernels, type VectorKernels } from "../vector-kernels.ts";
import { wasmBucketStore } from "./bucket-store.ts";
import { wasmAccumulatorStore } from "./accumulator-store.ts";
import type { VectorExports, VectorMemory } from "./vector-exports.ts";

/** Creates the vector kernels over an instance of one of their modules, which must have no other user. */
export function wasmVectorKernels(
  exports: VectorExports,
  name: Exclude<BackendName, "reference">,
): VectorKernels {
  const memory = kernelMemory(exports);
  return createVectorKernels({
    name,
    weightedMean: (spec) => wasmAccumulatorStore(memory, spec),
    updateBucket: (spec) => wasmBucketStore(memory, spec),
    checksum: (bytes) => wasmChecksum(memory, bytes),
    updateBuffer: (bytes) => wasmUpdateBuffer(memory, bytes),
    gallery: (spec) => wasmGalleryStore(memory, spec),
  });
}

/** Creates an update buffer in the module's memory. */
function wasmUpdateBuffer(memory: VectorMemory, bytes: number): BufferStore {
  const address = memory.allocate(bytes);
  memory.bytes(address, bytes).fill(0);
  return { bytes: () => memory.bytes(address, bytes), dispose: () => memory.free(address) };
}

/**
 * Bytes that are copied in at a time if they are not in kernel memory: whole stripes that stay in the L2
 * cache.
 */
const WINDOW = 65536;

/** Computes the checksum in the module. */
function wasmChecksum(memory: VectorMemory, bytes: Uint8Array): number {
  const { exports } = memory;
  // Read the length and the address before allocating scratch memory, which may grow the memory and detach
  // the view of the bytes.
  const { length } = bytes;
  const whole = length - (length % STRIPE);
  const tail = paddedTail(bytes);
  const address = memory.addressOf(bytes);
  const [sums, window] = memory.scratch(4 * SUMS, WINDOW) as [number, number];
  memory.words(sums, SUMS).fill(0);
  if (address !== undefined) exports.checksum(sums, address, whole / STRIPE);
  else {
    for (let first = 0; first < whole; first += WINDOW) {
      const part = bytes.subarray(first, Math.min(whole, first + WINDOW));
      memory.bytes(window, part.length).set(part);
      exports.checksum(sums, window, part.length / STRIPE);
    }
  }
  memory.bytes(window, tail.length).set(tail);
  exports.checksum(sums, window, tail.length / STRIPE);
  return finishChecksum(memory.words(sums, SUMS), length);
}
