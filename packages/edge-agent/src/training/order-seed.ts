/**
 * Derives a seed for the sample order from the weights: each round of a federation, which starts from other
 * weights, gets another order, and the same training gets the same order. FNV-1a over the weights' 32-bit
 * words.
 */
export function orderSeed({
  seed,
  weights,
}: {
  readonly seed: number;
  readonly weights: Float32Array;
}): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const bits of new Uint32Array(weights.buffer, weights.byteOffset, weights.length))
    hash = Math.imul(hash ^ bits, 0x01000193) >>> 0;
  return hash;
}
