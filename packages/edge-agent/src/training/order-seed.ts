/**
 * A seed for the order of the samples: each round of a federation, which starts from other weights, has another order, and the
 * same training the same one. FNV-1a over the weights' bits.
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
