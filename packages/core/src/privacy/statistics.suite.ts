import type { FillRandom } from "./random-bits.ts";

// Statistics for tests of samplers. All tests use fixed seeds; a correct sampler would exceed a limit for
// fewer than one seed in a million.

/** Exponent of the limits: e^-14.5 is 5e-7, and twice that is 1e-6. */
const DOUBT = 14.5;

/** Creates a repeatable source of bytes from a seed: xorshift128. */
export function seededFill(seed: number): FillRandom {
  let [x, y, z, w] = [seed | 1, 362436069, 521288629, 88675123];
  return (bytes) => {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let i = 0; i < words.length; i++) {
      const t = x ^ (x << 11);
      [x, y, z] = [y, z, w];
      w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
      words[i] = w;
    }
  };
}

/**
 * Returns Pearson's statistic and the limit that it exceeds with a probability below 1e-6. Source: Laurent
 * and Massart, 2000, lemma 1.
 */
export function chiSquare(
  observed: readonly number[],
  expected: readonly number[],
): { readonly statistic: number; readonly limit: number } {
  const freedom = observed.length - 1;
  const statistic = observed.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
  return { statistic, limit: freedom + 2 * Math.sqrt(freedom * DOUBT) + 2 * DOUBT };
}

/**
 * Returns the largest distance of an empirical distribution from `cdf`, and the limit that it exceeds with a
 * probability below 1e-6. Source: Massart, 1990.
 */
export function kolmogorov(
  sample: Float32Array,
  cdf: (x: number) => number,
): { readonly distance: number; readonly limit: number } {
  const sorted = sample.toSorted();
  const distance = Math.max(
    ...sorted.map((x, i) =>
      Math.max(Math.abs(cdf(x) - i / sorted.length), Math.abs(cdf(x) - (i + 1) / sorted.length)),
    ),
  );
  return { distance, limit: Math.sqrt(DOUBT / (2 * sorted.length)) };
}

/**
 * Returns the distance of an observed share from its probability that is exceeded with a probability below
 * 1e-6. Source: Hoeffding, 1963.
 */
export const shareError = (draws: number): number => Math.sqrt(DOUBT / (2 * draws));
