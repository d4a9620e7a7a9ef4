import type { VectorMemory } from "./vector-exports.ts";

/** Bytes of `SparseClient` in `rust/src/averaging/sparse_sum.rs`. */
export const SPARSE_CLIENT_BYTES = 12;

/** Options of {@link writeSparseClient}. */
interface WriteSparseClientOptions {
  readonly next: number;
  readonly end: number;
  readonly weight: number;
}

/** Writes a `SparseClient`: its entries from `next` to `end`, and its weight. */
export function writeSparseClient(
  memory: VectorMemory,
  address: number,
  { next, end, weight }: WriteSparseClientOptions,
): void {
  memory.words(address, 2).set([next, end]);
  memory.floats(address + 8, 1)[0] = weight;
}
