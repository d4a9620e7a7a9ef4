import { logErfc } from "./normal-tail.ts";

// Rényi differential privacy of one release of the sampled Gaussian mechanism: each record is in the sum
// independently with probability q; the sum, of sensitivity 1, gets Gaussian noise of standard deviation
// sigma. Neighboring data sets differ in the presence of one record. Source: Mironov, Talwar and Zhang,
// "Rényi Differential Privacy of the Sampled Gaussian Mechanism", 2019 (1908.10530), sections 3.2 and 3.3.

/** A release of the sampled Gaussian mechanism; see {@link renyiDivergence}. */
export interface SampledGaussian {
  /** Standard deviation divided by sensitivity, above 0. */
  readonly noiseMultiplier: number;
  /** Probability that a record is included, from 0 to 1. */
  readonly samplingRate: number;
}

/** Maximum number of terms of a series that does not converge. */
const MAX_TERMS = 1000;
/** Terms that are smaller than the sum by this, as logarithms, do not change its significant digits. */
const NEGLIGIBLE = 30;

/**
 * Returns the Rényi divergence of the given order, above 1. Returns Infinity if the series for a fractional
 * order does not converge within 1000 terms, which excludes that order from an epsilon.
 */
export function renyiDivergence(
  { noiseMultiplier: sigma, samplingRate: q }: SampledGaussian,
  order: number,
): number {
  if (q === 0) return 0;
  if (order === Infinity || sigma === 0) return Infinity;
  if (q === 1) return order / (2 * sigma ** 2);
  const moment = Number.isInteger(order)
    ? wholeMoment({ q, sigma, order })
    : fractionalMoment({ q, sigma, order });
  return moment / (order - 1);
}

interface Moment {
  readonly q: number;
  readonly sigma: number;
  readonly order: number;
}

/** Returns the logarithm of A of an integer order: the binomial sum of section 3.3, in logarithms. */
function wholeMoment({ q, sigma, order }: Moment): number {
  const logOdds = Math.log(q) - Math.log1p(-q);
  let logTerm = order * Math.log1p(-q);
  let sum = logTerm;
  for (let i = 1; i <= order; i++) {
    logTerm += Math.log((order - i + 1) / i) + logOdds;
    sum = logAdd(sum, logTerm + (i * i - i) / (2 * sigma ** 2));
  }
  return sum;
}

/**
 * Returns the logarithm of A of a fractional order: the two series of section 3.3, split where the densities
 * of the two hypotheses are equal. Binomial coefficients beyond the order alternate in sign; their absolute
 * values are added, as in the reference implementation: an upper bound, so that epsilon is never
 * underestimated.
 */
function fractionalMoment({ q, sigma, order }: Moment): number {
  const logQ = Math.log(q);
  const log1mQ = Math.log1p(-q);
  const middle = sigma ** 2 * Math.log(1 / q - 1) + 0.5;
  let below = -Infinity;
  let above = -Infinity;
  let last = { below: -Infinity, above: -Infinity };
  let logBinomial = 0;
  for (let i = 0; i < MAX_TERMS; i++) {
    if (i > 0) logBinomial += Math.log(Math.abs(order - i + 1) / i);
    const j = order - i;
    const next = {
      below:
        logBinomial +
        i * logQ +
        j * log1mQ +
        (i * i - i) / (2 * sigma ** 2) +
        logErfc((i - middle) / (Math.SQRT2 * sigma)) -
        Math.LN2,
      above:
        logBinomial +
        j * logQ +
        i * log1mQ +
        (j * j - j) / (2 * sigma ** 2) +
        logErfc((middle - j) / (Math.SQRT2 * sigma)) -
        Math.LN2,
    };
    below = logAdd(below, next.below);
    above = logAdd(above, next.above);
    const sum = logAdd(below, above);
    if (
      next.below < last.below &&
      next.above < last.above &&
      Math.max(next.below, next.above) < sum - NEGLIGIBLE
    )
      return sum;
    last = next;
  }
  return Infinity;
}

/** Returns the logarithm of the sum of two numbers that are given as logarithms. */
function logAdd(a: number, b: number): number {
  const [least, most] = a < b ? [a, b] : [b, a];
  return least === -Infinity ? most : most + Math.log1p(Math.exp(least - most));
}
