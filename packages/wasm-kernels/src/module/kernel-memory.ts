import type { WasmMemory } from "./web-assembly.ts";

/** Exports of every module: see `rust/src/abi/mod.rs`. */
export interface ModuleExports {
  readonly memory: WasmMemory;
  alloc(bytes: number): number;
  free(address: number): void;
}

/** Memory of a module: blocks, and views that are created again after memory grows. */
export interface KernelMemory<Exports extends ModuleExports> {
  readonly exports: Exports;
  /**
   * Allocates a block and returns its address, a multiple of 16.
   *
   * @throws {RangeError} If the block is too large or memory cannot grow further.
   */
  allocate(bytes: number): number;
  free(address: number): void;
  /**
   * Allocates blocks of the given sizes in bytes and returns their addresses. If memory is full, no block is
   * kept.
   *
   * @throws {RangeError} If a block is too large or memory cannot grow further.
   */
  allocateAll(...sizes: readonly number[]): number[];
  /**
   * Returns addresses of scratch regions of the given sizes in bytes, valid until the next call. All kernels
   * share this one block, because each kernel is finished with it when it returns. The block only grows, so a
   * steady load allocates nothing.
   */
  scratch(...sizes: readonly number[]): number[];
  /** Returns the address of an array that is in this memory, otherwise `undefined`. */
  addressOf(array: ArrayBufferView): number | undefined;
  floats(address: number, length: number): Float32Array;
  words(address: number, length: number): Uint32Array;
  bytes(address: number, length: number): Uint8Array;
  clamped(address: number, length: number): Uint8ClampedArray;
  signedBytes(address: number, length: number): Int8Array;
  /** Returns a view of half-precision floats, as bits. */
  halves(address: number, length: number): Uint16Array;
  doubles(address: number, length: number): Float64Array;
}

/** Maximum number of bytes in a Rust slice. */
const MOST = 0x7fffffff;

const align = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** Creates the memory of one module instance. */
export function kernelMemory<Exports extends ModuleExports>(exports: Exports): KernelMemory<Exports> {
  let block = { address: 0, bytes: 0 };

  const allocate = (bytes: number): number => {
    // `alloc` returns addresses above 2^31 as negative numbers; `>>> 0` makes them positive.
    if (bytes > MOST)
      throw new RangeError(`kernel memory: expected at most ${MOST} bytes in one block; got ${bytes}`);
    const address = exports.alloc(bytes) >>> 0;
    if (address === 0)
      throw new RangeError(
        `kernel memory: expected ${bytes} free bytes; got none: memory is full or has too many blocks`,
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
    // A view costs about 30 ns. Reading `buffer` for each view makes it valid after memory has grown.
    floats: (address, length) => new Float32Array(exports.memory.buffer, address, length),
    words: (address, length) => new Uint32Array(exports.memory.buffer, address, length),
    bytes: (address, length) => new Uint8Array(exports.memory.buffer, address, length),
    clamped: (address, length) => new Uint8ClampedArray(exports.memory.buffer, address, length),
    signedBytes: (address, length) => new Int8Array(exports.memory.buffer, address, length),
    halves: (address, length) => new Uint16Array(exports.memory.buffer, address, length),
    doubles: (address, length) => new Float64Array(exports.memory.buffer, address, length),
  };
}
