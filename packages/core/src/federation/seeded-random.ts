/** A random source whose state can be saved and restored. */
export interface SeededRandom {
  /** Returns a number uniform in [0, 1). */
  random(): number;
  /** State that the next draw starts from. */
  readonly seed: number;
}

/**
 * Creates a Splitmix32 generator from a 32-bit seed: a counter and a mixing function (Steele et al., 2014;
 * the mixer is Ettinger's).
 */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  return {
    random() {
      state = (state + 0x9e3779b9) >>> 0;
      return mixed(state) / 2 ** 32;
    },
    get seed() {
      return state;
    },
  };
}

/** Returns a share in [0, 1) that depends on the text only. It spreads clients in time without randomness. */
export function shareOf(text: string): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return mixed(bits >>> 0) / 2 ** 32;
}

/** A bijection on 32-bit integers. */
function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
