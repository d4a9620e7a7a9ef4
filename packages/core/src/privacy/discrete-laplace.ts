import type { RandomBits } from "./random-bits.ts";

/** Maximum scale: its product with the counter of {@link happens} must stay an exact integer. */
const MAX_SCALE = 2 ** 40;

/**
 * Returns an integer `k` with a probability proportional to `exp(-|k| / scale)`, exactly: without logarithms
 * and rounding, so that no output reveals more than the formula allows. `scale` is an integer from 1 to 2^40.
 * Source: Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy", 2020 (2004.00010),
 * algorithms 1 and 2.
 */
export function discreteLaplace(scale: number, bits: RandomBits): number {
  if (!(Number.isInteger(scale) && scale >= 1 && scale <= MAX_SCALE))
    throw new RangeError(`draw noise: expected a scale as a whole number from 1 to 2^40; got ${scale}`);
  for (;;) {
    // The remainder is geometric within one scale, by rejection; the quotient is geometric in whole scales.
    const remainder = bits.below(scale);
    if (!happens({ numerator: remainder, denominator: scale, bits })) continue;
    let quotient = 0;
    while (happens({ numerator: 1, denominator: 1, bits })) quotient++;
    const size = remainder + scale * quotient;
    const negative = bits.below(2) === 1;
    // Accept zero with one sign only, otherwise it would occur twice as often.
    if (!(negative && size === 0)) return negative ? -size : size;
  }
}

/** Options of {@link happens}. */
interface HappensOptions {
  readonly numerator: number;
  readonly denominator: number;
  readonly bits: RandomBits;
}

/** Returns true with probability `exp(-numerator / denominator)`, exactly. The fraction is from 0 to 1. */
function happens({ numerator, denominator, bits }: HappensOptions): boolean {
  // The index of the first failing draw is odd with exactly this probability, by the series of the
  // exponential.
  let turn = 1;
  while (bits.below(denominator * turn) < numerator) turn++;
  return turn % 2 === 1;
}
