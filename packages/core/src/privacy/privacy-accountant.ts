import { describeValue } from "../errors.ts";
import { renyiDivergence, type SampledGaussian } from "./sampled-gaussian.ts";

/** Releases that a {@link PrivacyAccountant} composes. */
export interface GaussianReleases extends SampledGaussian {
  /** Number of equal releases, from 0. */
  readonly steps: number;
}

/** Accumulates the privacy cost of releases. */
export interface PrivacyAccountant {
  readonly delta: number;
  /** Releases so far. A new accountant that composes them has the same epsilon. */
  readonly releases: readonly GaussianReleases[];
  /**
   * Adds the cost of releases.
   * @throws {RangeError} If the noise multiplier, rate or number of steps is out of range; nothing is added.
   */
  compose(releases: GaussianReleases): void;
  /**
   * Returns the epsilon of all releases together: they are (epsilon, delta)-differentially private. Infinity
   * if there is no bound, 0 before the first release.
   */
  epsilon(): number;
}

/** Default Rényi orders: those of PyPI `dp-accounting`. */
export const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 53 }, (_, i) => 11 + i),
  128,
  256,
  512,
  1024,
];

/** Orders up to this one are not converted to an epsilon: the conversion is unstable there, and of no use. */
const MIN_ORDER = 1.01;

/**
 * Creates an accountant for the sampled Gaussian mechanism, based on Rényi differential privacy. Neighboring
 * data sets differ in the presence of one record (in federated averaging: of one client). Agrees with PyPI
 * `dp-accounting`.
 * @throws {RangeError} If `delta` is not above 0 and below 1, or an order is not above 1.
 */
export function createPrivacyAccountant({
  delta,
  orders = RENYI_ORDERS,
}: {
  readonly delta: number;
  readonly orders?: readonly number[];
}): PrivacyAccountant {
  checkDelta(delta);
  if (orders.length === 0 || !orders.every((order) => order > 1))
    throw new RangeError("account for privacy: expected at least one order, all above 1; got others");
  const releases: GaussianReleases[] = [];
  const spent = new Float64Array(orders.length);
  // The rounds of a federation are equal: compute their divergence once.
  let known: (SampledGaussian & { readonly divergences: readonly number[] }) | undefined;

  return {
    delta,
    get releases() {
      return releases;
    },
    compose({ noiseMultiplier, samplingRate, steps }) {
      checkRelease({ noiseMultiplier, samplingRate, steps });
      if (steps === 0) return;
      if (known?.noiseMultiplier !== noiseMultiplier || known.samplingRate !== samplingRate) {
        known = {
          noiseMultiplier,
          samplingRate,
          divergences: orders.map((order) => renyiDivergence({ noiseMultiplier, samplingRate }, order)),
        };
      }
      for (const [i, divergence] of known.divergences.entries()) spent[i]! += divergence * steps;
      const last = releases.at(-1);
      if (last?.noiseMultiplier === noiseMultiplier && last.samplingRate === samplingRate)
        releases[releases.length - 1] = { ...last, steps: last.steps + steps };
      else releases.push({ noiseMultiplier, samplingRate, steps });
    },
    epsilon: () =>
      Math.max(0, Math.min(...orders.map((order, i) => toEpsilon({ order, divergence: spent[i]!, delta })))),
  };
}

/** Options of {@link noiseMultiplierFor}. */
interface NoiseMultiplierForOptions {
  readonly epsilon: number;
  readonly delta: number;
  readonly samplingRate: number;
  readonly steps: number;
  readonly orders?: readonly number[];
}

/**
 * Returns the smallest noise multiplier with which `steps` releases stay within an epsilon; accurate to a
 * relative 1e-6, and never too small.
 * @throws {RangeError} If no noise multiplier is found: epsilon is not above 0, or lower than these orders
 * can show.
 */
export function noiseMultiplierFor({
  epsilon,
  delta,
  samplingRate,
  steps,
  orders,
}: NoiseMultiplierForOptions): number {
  if (!(epsilon > 0))
    throw new RangeError(
      `find a noise multiplier: expected an epsilon above 0; got ${describeValue(epsilon)}`,
    );
  const within = (noiseMultiplier: number): boolean => {
    const accountant = createPrivacyAccountant({ delta, ...(orders ? { orders } : {}) });
    accountant.compose({ noiseMultiplier, samplingRate, steps });
    return accountant.epsilon() <= epsilon;
  };
  let high = 1;
  while (!within(high)) {
    high *= 2;
    if (high > 2 ** 40)
      throw new RangeError(
        `find a noise multiplier: expected an epsilon that a noise multiplier can reach; got ${epsilon}`,
      );
  }
  let low = high / 2;
  while (within(low) && low > 2 ** -20) [low, high] = [low / 2, low];
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2;
    if (within(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Options of {@link toEpsilon}. */
interface ToEpsilonOptions {
  readonly order: number;
  readonly divergence: number;
  readonly delta: number;
}

/**
 * Returns the epsilon of one order. Source: Canonne, Kamath and Steinke, "The Discrete Gaussian for
 * Differential Privacy", 2020 (2004.00010), proposition 12; and delta <= sqrt(1 - exp(-KL)), by which epsilon
 * is 0 if `delta` is larger.
 */
function toEpsilon({ order, divergence, delta }: ToEpsilonOptions): number {
  if (delta ** 2 + Math.expm1(-divergence) > 0) return 0;
  if (order <= MIN_ORDER) return Infinity;
  return divergence + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1);
}

function checkRelease({ noiseMultiplier, samplingRate, steps }: GaussianReleases): void {
  if (!(noiseMultiplier >= 0 && noiseMultiplier < Infinity))
    throw new RangeError(
      `account for privacy: expected a noise multiplier from 0 up; got ${describeValue(noiseMultiplier)}`,
    );
  if (!(samplingRate >= 0 && samplingRate <= 1))
    throw new RangeError(
      `account for privacy: expected a sampling rate from 0 to 1; got ${describeValue(samplingRate)}`,
    );
  if (!(Number.isSafeInteger(steps) && steps >= 0))
    throw new RangeError(
      `account for privacy: expected steps as a whole number from 0 up; got ${describeValue(steps)}`,
    );
}

/**
 * Checks a delta.
 * @throws {RangeError} If `delta` is not above 0 and below 1.
 */
export function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1))
    throw new RangeError(
      `account for privacy: expected a delta above 0 and below 1; got ${describeValue(delta)}`,
    );
}
