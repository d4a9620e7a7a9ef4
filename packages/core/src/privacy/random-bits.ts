/**
 * Fills an array with random bytes, like `crypto.getRandomValues`. The only source of randomness for every
 * sampler.
 */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Random numbers for samplers. */
export interface RandomBits {
  /** Returns an integer below `limit`, exactly uniform. `limit` is from 1 to 2^53. */
  below(limit: number): number;
  /** Returns one of the 2^53 multiples of 2^-53 in [0,1). */
  uniform(): number;
}

/** Number of bytes per draw from the source; browsers allow at most 65,536. */
const POOL = 16_384;

/** The engine's cryptographic source of random bytes. */
export const cryptographicRandom: FillRandom = (bytes) => {
  for (let i = 0; i < bytes.length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
};

/**
 * Creates random numbers from a source of bytes, by default the engine's cryptographic source. A predictable
 * source voids every privacy guarantee; use one only in tests.
 */
export function randomBits(fill: FillRandom = cryptographicRandom): RandomBits {
  const pool = new Uint32Array(POOL / 4);
  const bytes = new Uint8Array(pool.buffer);
  let next = pool.length;
  const word = (): number => {
    if (next === pool.length) {
      fill(bytes);
      next = 0;
    }
    const value = pool[next]!;
    // Erase used words, so that they cannot be read from memory later.
    pool[next++] = 0;
    return value;
  };
  /** Returns an integer below 2^53. */
  const wide = (): number => (word() >>> 11) * 2 ** 32 + word();

  return {
    below(limit) {
      const [draw, range] = limit <= 2 ** 32 ? [word, 2 ** 32] : [wide, 2 ** 53];
      const most = range - (range % limit);
      let value = draw();
      while (value >= most) value = draw();
      return value % limit;
    },
    uniform: () => wide() * 2 ** -53,
  };
}
