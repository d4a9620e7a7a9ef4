/**
 * Fills an array with random bytes, as `crypto.getRandomValues` does: the one source that every sampler draws
 * from.
 */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

/** Random numbers of the kinds that samplers need. */
export interface RandomBits {
  /** A whole number below `limit`, each equally likely, exactly; `limit` from 1 to 2^53. */
  below(limit: number): number;
  /** One of the 2^53 multiples of 2^-53 in 0..1, 1 excluded. */
  uniform(): number;
}

/** Bytes drawn at once; browsers give at most 65,536. */
const POOL = 16_384;

/** The engine's cryptographic source. */
export const cryptographicRandom: FillRandom = (bytes) => {
  for (let i = 0; i < bytes.length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
};

/**
 * Draws from a source of bytes, by default the engine's cryptographic one. A predictable source voids every
 * promise of privacy; tests may.
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
    // What was used must not be read again by whoever gets at the memory.
    pool[next++] = 0;
    return value;
  };
  /** A whole number below 2^53. */
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
