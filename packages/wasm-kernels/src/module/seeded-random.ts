/**
 * Returns a generator of reproducible random numbers in 0..1, 1 excluded: splitmix32, a counter and a mixing
 * function (Steele et al., "Fast splittable pseudorandom number generators", 2014; the mixer is Ettinger's
 * for 32 bits). The generator is in TypeScript, so that every backend draws the same numbers. Each `stream`
 * is a separate sequence, so an epoch needs only its number to create its generator.
 */
export function seededRandom({
  seed,
  stream,
}: {
  readonly seed: number;
  readonly stream: number;
}): () => number {
  let state = mix(mix(seed) ^ stream);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) / 2 ** 32;
  };
}

/** Maps 32-bit numbers to 32-bit numbers one-to-one. */
function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

/**
 * Returns the numbers below `count` in random order (Fisher-Yates). `random` returns numbers in 0..1, 1
 * excluded.
 */
export function shuffledIndices(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
