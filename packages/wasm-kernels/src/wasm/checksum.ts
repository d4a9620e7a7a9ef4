import { finishChecksum, paddedTail, STRIPE, SUMS } from "../checksum.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Bytes that go in at a time, where they aren't in this memory: whole stripes that stay in the L2 cache. */
const WINDOW = 65536;

/** The checksum by the module. */
export function wasmChecksum(memory: VectorMemory, bytes: Uint8Array): number {
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
