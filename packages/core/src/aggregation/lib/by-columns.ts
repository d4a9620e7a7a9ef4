import type { UpdateBucket, VectorKernels } from "@sedna-js/wasm-kernels";

/** Number of floats, over all rows, in the kernels at a time: they fit a cache of 1 MiB. */
const FLOATS_AT_A_TIME = 2 ** 18;

/** Options of {@link byColumns}. */
export interface Columns {
  readonly kernels: VectorKernels;
  /** Factor of each row. Default 1. */
  readonly scales?: readonly number[];
  /** Reduces a bucket that holds the rows to one number per column. */
  readonly reduce: (bucket: UpdateBucket) => Float32Array;
}

/**
 * Reduces rows to one row, a block of columns at a time. Handles any number of rows of any length in a few
 * megabytes of kernel memory.
 */
export function byColumns(rows: readonly Float32Array[], { kernels, scales, reduce }: Columns): Float32Array {
  const { length } = rows[0]!;
  const block = Math.min(length, Math.max(64, Math.floor(FLOATS_AT_A_TIME / rows.length / 64) * 64));
  const bucket = kernels.updateBucket({ length: block, capacity: rows.length });
  const reduced = new Float32Array(length);
  try {
    for (let start = 0; start < length; start += block) {
      const end = Math.min(start + block, length);
      bucket.reset();
      for (const [i, row] of rows.entries()) {
        const place = bucket.incoming().values as Float32Array;
        // In a short last block, the values after the row are left from the previous block: they are finite,
        // and their columns are dropped.
        place.set(row.subarray(start, end));
        const scale = scales?.[i] ?? 1;
        if (scale !== 1) for (let j = 0; j < end - start; j++) place[j]! *= scale;
        bucket.add({ encoding: "f32", values: place }, { weight: 1 });
      }
      reduced.set(reduce(bucket).subarray(0, end - start), start);
    }
  } finally {
    bucket.dispose();
  }
  return reduced;
}
