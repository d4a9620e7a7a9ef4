import { describeValue } from "../errors.ts";
import { logNormalCdf } from "./normal-tail.ts";
import { checkDelta } from "./privacy-accountant.ts";

// Exact analysis of one release with Gaussian noise. Source: Balle and Wang, "Improving the Gaussian
// Mechanism for Differential Privacy", 2018 (1805.06530), theorem 8. The classical formula, sqrt(2 ln(1.25 /
// delta)) / epsilon, holds only below epsilon 1 and requires more noise than needed.

/**
 * Returns the smallest noise, as standard deviation divided by sensitivity, with which one release is
 * (epsilon, delta)-differentially private; accurate to a relative 1e-12, and never too small.
 * @throws {RangeError} If `epsilon` is not above 0, or `delta` is not above 0 and below 1.
 */
export function gaussianNoiseFor({
  epsilon,
  delta,
}: {
  readonly epsilon: number;
  readonly delta: number;
}): number {
  if (!(epsilon > 0 && epsilon < Infinity))
    throw new RangeError(
      `find a noise multiplier: expected an epsilon above 0; got ${describeValue(epsilon)}`,
    );
  checkDelta(delta);
  return least((sigma) => logDelta({ sigma, epsilon }) <= Math.log(delta));
}

/**
 * Returns the epsilon of one release with this noise (standard deviation divided by sensitivity) at a delta;
 * accurate to a relative 1e-12, and never too small.
 */
export function gaussianEpsilon({
  noiseMultiplier: sigma,
  delta,
}: {
  readonly noiseMultiplier: number;
  readonly delta: number;
}): number {
  if (!(sigma > 0))
    throw new RangeError(`find an epsilon: expected a noise multiplier above 0; got ${describeValue(sigma)}`);
  checkDelta(delta);
  if (logDelta({ sigma, epsilon: 0 }) <= Math.log(delta)) return 0;
  return least((epsilon) => logDelta({ sigma, epsilon }) <= Math.log(delta));
}

/** Returns the logarithm of the smallest delta. */
function logDelta({ sigma, epsilon }: { readonly sigma: number; readonly epsilon: number }): number {
  const shift = epsilon * sigma + 1 / (2 * sigma);
  const gain = logNormalCdf(1 / sigma - shift);
  const loss = epsilon + logNormalCdf(-shift);
  return loss < gain ? gain + Math.log(-Math.expm1(loss - gain)) : -Infinity;
}

/**
 * Returns the smallest number above 0 for which `holds` is true. `holds` must be false below some number and
 * true above it.
 */
function least(holds: (value: number) => boolean): number {
  let high = 1;
  while (!holds(high)) high *= 2;
  let low = high / 2;
  while (holds(low)) [low, high] = [low / 2, low];
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
