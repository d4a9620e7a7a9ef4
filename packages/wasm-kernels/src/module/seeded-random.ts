/**
 * Repeatable random numbers: splitmix32, a counter and a mixing function (Steele et al., "Fast splittable
 * pseudorandom number generators", 2014; the mixer is Ettinger's for 32 bits). In TypeScript, so that every backend
 * draws the same ones. A `stream` is a sequence of its own: an epoch needs no generator but its number.
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

/** A bijection of 32-bit numbers. */
function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

/** The numbers below `count` in random order (Fisher-Yates). `random` gives numbers in 0..1, 1 excluded. */
export function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
