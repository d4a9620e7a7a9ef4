import type { WasmMemory } from "./web-assembly.ts";

/** What every module exports: see `rust/src/abi/mod.rs`. */
export interface ModuleExports {
  readonly memory: WasmMemory;
  alloc(bytes: number): number;
  free(address: number): void;
}

/** A module's memory: blocks, and views that are made anew after it grows. */
export interface KernelMemory<Exports extends ModuleExports> {
  readonly exports: Exports;
  /** A new block's address, a multiple of 16. Throws a RangeError when memory can't grow further. */
  allocate(bytes: number): number;
  free(address: number): void;
  /** Blocks of the given sizes in bytes, all of them or, when memory is full, none. */
  allocateAll(...sizes: readonly number[]): number[];
  /**
   * Addresses of pieces of the given sizes in bytes, good until the next call: all kernels share this
   * one block, because each is done with it when it returns. It only ever grows, so a steady load allocates nothing.
   */
  scratch(...sizes: readonly number[]): number[];
  /** The address of an array that lies in this memory already, else undefined. */
  addressOf(array: ArrayBufferView): number | undefined;
  floats(address: number, length: number): Float32Array;
  words(address: number, length: number): Uint32Array;
  bytes(address: number, length: number): Uint8Array;
  clamped(address: number, length: number): Uint8ClampedArray;
  signedBytes(address: number, length: number): Int8Array;
  /** Half-precision floats, as bits. */
  halves(address: number, length: number): Uint16Array;
  doubles(address: number, length: number): Float64Array;
}

/** A slice in Rust has at most so many bytes. */
const MOST = 0x7fffffff;

const align = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** The memory of one instance. */
export function kernelMemory<Exports extends ModuleExports>(exports: Exports): KernelMemory<Exports> {
  let block = { address: 0, bytes: 0 };

  const allocate = (bytes: number): number => {
    // Addresses above 2^31 come as negative numbers.
    if (bytes > MOST)
      throw new RangeError(`kernel memory: expected at most ${MOST} bytes in one block, got ${bytes}`);
    const address = exports.alloc(bytes) >>> 0;
    if (address === 0)
      throw new RangeError(
        `kernel memory: expected room for ${bytes} bytes, got none: memory is full, or in thousands of blocks`,
      );
    return address;
  };

  const scratch = (...sizes: readonly number[]): number[] => {
    const bytes = sizes.reduce((sum, size) => sum + align(size), 0);
    if (bytes > block.bytes) {
      if (block.address !== 0) exports.free(block.address);
      block = { address: 0, bytes: 0 };
      block = { address: allocate(bytes), bytes };
    }
    let next = block.address;
    return sizes.map((size) => {
      const address = next;
      next += align(size);
      return address;
    });
  };

  return {
    exports,
    allocate,
    free: (address) => exports.free(address),
    allocateAll(...sizes) {
      const blocks: number[] = [];
      try {
        for (const size of sizes) blocks.push(allocate(size));
      } catch (error) {
        for (const block of blocks) exports.free(block);
        throw error;
      }
      return blocks;
    },
    scratch,
    addressOf: (array) => (array.buffer === exports.memory.buffer ? array.byteOffset : undefined),
    // A view costs about 30 ns; asking for `buffer` each time is what makes it outlive growth.
    floats: (address, length) => new Float32Array(exports.memory.buffer, address, length),
    words: (address, length) => new Uint32Array(exports.memory.buffer, address, length),
    bytes: (address, length) => new Uint8Array(exports.memory.buffer, address, length),
    clamped: (address, length) => new Uint8ClampedArray(exports.memory.buffer, address, length),
    signedBytes: (address, length) => new Int8Array(exports.memory.buffer, address, length),
    halves: (address, length) => new Uint16Array(exports.memory.buffer, address, length),
    doubles: (address, length) => new Float64Array(exports.memory.buffer, address, length),
  };
}
