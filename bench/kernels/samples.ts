/**
 * Returns a reproducible sequence of numbers in 0..1: a linear congruential generator with the constants of
 * Numerical Recipes.
 */
export function repeatable(seed: number): () => number {
  let state = seed >>> 0;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24;
}

/** Returns rows of unit length with random directions. */
export function unitRows({
  count,
  dimensions,
  seed,
}: {
  readonly count: number;
  readonly dimensions: number;
  readonly seed: number;
}): Float32Array {
  const next = repeatable(seed);
  const rows = Float32Array.from({ length: count * dimensions }, () => next() + next() + next() + next() - 2);
  for (let start = 0; start < rows.length; start += dimensions) {
    const row = rows.subarray(start, start + dimensions);
    const inverse = 1 / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    row.forEach((x, i) => (row[i] = x * inverse));
  }
  return rows;
}
