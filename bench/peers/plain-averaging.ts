/**
 * Writes the weighted mean of vectors to `out`; the weights sum to 1. Adds one client at a time: `out +=
 * weight * vector`.
 */
export function fedAvgAxpy(
  vectors: readonly Float32Array[],
  { weights, out }: { readonly weights: Float32Array; readonly out: Float32Array },
): Float32Array {
  out.fill(0);
  for (const [k, vector] of vectors.entries()) {
    const weight = weights[k]!;
    for (let i = 0; i < out.length; i++) out[i]! += weight * vector[i]!;
  }
  return out;
}

/**
 * Like {@link fedAvgAxpy}, but adds five clients per pass with the sum unrolled, in blocks that fit the
 * cache. The fastest of the loops tried.
 */
export function fedAvgUnrolled(
  vectors: readonly Float32Array[],
  { weights, out }: { readonly weights: Float32Array; readonly out: Float32Array },
): Float32Array {
  const fives = vectors.length - (vectors.length % 5);
  for (let start = 0; start < out.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, out.length);
    out.fill(0, start, end);
    for (let k = 0; k < fives; k += 5) addFive(vectors, { weights, out, k, start, end });
    for (let k = fives; k < vectors.length; k++) {
      const [vector, weight] = [vectors[k]!, weights[k]!];
      for (let i = start; i < end; i++) out[i]! += weight * vector[i]!;
    }
  }
  return out;
}

const BLOCK = 16384;

function addFive(
  vectors: readonly Float32Array[],
  {
    weights,
    out,
    k,
    start,
    end,
  }: {
    readonly weights: Float32Array;
    readonly out: Float32Array;
    readonly k: number;
    readonly start: number;
    readonly end: number;
  },
): void {
  const [a, b, c, d, e] = [vectors[k]!, vectors[k + 1]!, vectors[k + 2]!, vectors[k + 3]!, vectors[k + 4]!];
  const [u, v, w, x, y] = [weights[k]!, weights[k + 1]!, weights[k + 2]!, weights[k + 3]!, weights[k + 4]!];
  for (let i = start; i < end; i++) out[i]! += u * a[i]! + v * b[i]! + w * c[i]! + x * d[i]! + y * e[i]!;
}
