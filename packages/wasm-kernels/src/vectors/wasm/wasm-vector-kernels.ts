import { wasmGalleryStore } from "../../gallery/wasm/gallery-store.ts";
import type { BackendName } from "../../module/backend.ts";
import { kernelMemory } from "../../module/kernel-memory.ts";
import { finishChecksum, paddedTail, STRIPE, SUMS } from "../checksum.ts";
import type { BufferStore } from "../update-room.ts";
import { createVectorKernels, type VectorKernels } from "../vector-kernels.ts";
import { wasmBucketStore } from "./bucket-store.ts";
import { wasmSumStore } from "./sum-store.ts";
import type { VectorExports, VectorMemory } from "./vector-exports.ts";

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
    updateBuffer: (bytes) => wasmRoomStore(memory, bytes),
    gallery: (spec) => wasmGalleryStore(memory, spec),
  });
}

/** Room in the module's memory. */
function wasmRoomStore(memory: VectorMemory, bytes: number): BufferStore {
  const address = memory.allocate(bytes);
  memory.bytes(address, bytes).fill(0);
  return { bytes: () => memory.bytes(address, bytes), dispose: () => memory.free(address) };
}

/** Bytes that go in at a time, where they aren't in this memory: whole stripes that stay in the L2 cache. */
const WINDOW = 65536;

/** The checksum by the module. */
function wasmChecksum(memory: VectorMemory, bytes: Uint8Array): number {
  const { exports } = memory;
  // Asked before there is scratch, which may grow the memory that the bytes lie in and cut their view off.
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
