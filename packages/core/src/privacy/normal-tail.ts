/** Argument from which the continued fraction replaces the series. Both are accurate to 1e-13 here. */
const SPLIT = 2;

/**
 * Returns the natural logarithm of the complementary error function, to a relative 1e-12 even if `erfc`
 * itself is far below the smallest float. Source: Abramowitz and Stegun, "Handbook of Mathematical
 * Functions", 7.1.6 and 7.1.14.
 */
export function logErfc(x: number): number {
  if (x === Infinity) return -Infinity;
  if (x < 0) return Math.log1p(errorFunction(-x));
  return x < SPLIT ? Math.log1p(-errorFunction(x)) : Math.log(scaledTail(x)) - x * x;
}

/** Returns the natural logarithm of the probability that a standard normal number is at most `x`. */
export function logNormalCdf(x: number): number {
  return logErfc(-x * Math.SQRT1_2) - Math.LN2;
}

/** Returns the error function of `x >= 0`. All terms of the series are positive, so that none cancel. */
function errorFunction(x: number): number {
  if (x > 6) return 1;
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Returns `exp(x * x) * erfc(x)` of `x >= 2` by its continued fraction, evaluated from the far end. */
function scaledTail(x: number): number {
  const depth = Math.ceil(20 + 300 / (x * x));
  let fraction = x;
  for (let n = depth; n >= 1; n--) fraction = x + n / 2 / fraction;
  return 1 / (Math.sqrt(Math.PI) * fraction);
}
