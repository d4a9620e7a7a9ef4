import type { GalleryExports } from "../../gallery/wasm/gallery-exports.ts";
import type { KernelMemory, ModuleExports } from "../../module/kernel-memory.ts";

/**
 * Exports of the modules `vectors` and `vectors-relaxed`, written by hand: see `rust/src/abi/`. Every address
 * is a byte offset in `memory`.
 */
export interface VectorExports extends ModuleExports, AveragingExports, GalleryExports {}

interface AveragingExports {
  f32_sum(
    bucket: number,
    stride: number,
    weights: number,
    clients: number,
    out: number,
    length: number,
    accumulate: 0 | 1,
  ): void;
  f16_sum(
    bucket: number,
    stride: number,
    normalOrZero: number,
    weights: number,
    clients: number,
    out: number,
    length: number,
    accumulate: 0 | 1,
  ): void;
  int8_sum(
    bucket: number,
    stride: number,
    factors: number,
    units: number,
    clients: number,
    out: number,
    length: number,
    accumulate: 0 | 1,
  ): void;
  sparse_sum(
    indices: number,
    values: number,
    entries: number,
    clients: number,
    count: number,
    out: number,
    length: number,
    accumulate: 0 | 1,
  ): void;
  sorted_mean(
    bucket: number,
    stride: number,
    clients: number,
    scratch: number,
    network: number,
    pairs: number,
    low: number,
    high: number,
    out: number,
    length: number,
  ): void;
  f64_accumulate(values: number, length: number, weight: number, sums: number): void;
  f32_squares(values: number, length: number): number;
  int8_squares(values: number, length: number): number;
  checksum(sums: number, stripes: number, count: number): void;
  /** Returns 1 if all values are finite, plus 2 if none is subnormal. */
  f16_scan(halves: number, length: number): number;
}

/** Memory of an instance of `vectors` or `vectors-relaxed`. */
export type VectorMemory = KernelMemory<VectorExports>;
