/** A source of chance that can be stopped, written down and gone on with. */
export interface SeededDraws {
  /** Uniform in [0,1). */
  random(): number;
  /** What the next draw comes from. */
  readonly seed: number;
}

/** Splitmix32 from a 32-bit seed: a counter and a mixing function (Steele et al., 2014; the mixer is Ettinger's). */
export function seededDraws(seed: number): SeededDraws {
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

/** A share in [0,1) that a text always has: what spreads clients in time without chance. */
export function shareOf(text: string): number {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return mixed(bits >>> 0) / 2 ** 32;
}

/** A bijection of 32-bit numbers. */
function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
