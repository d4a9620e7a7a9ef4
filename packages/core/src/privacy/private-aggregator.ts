import type { AggregationRound, Aggregator, Accumulator } from "../aggregation/aggregator.ts";
import { SednaError } from "../errors.ts";
import { addGaussianNoise } from "./gaussian-noise.ts";
import { createPrivacyAccountant, type PrivacyAccountant } from "./privacy-accountant.ts";
import { randomBits, type FillRandom } from "./random-bits.ts";

/** Options of {@link privateAggregator}. */
export interface PrivateAggregatorOptions {
  /** L2 norm that every client's update is scaled down to. */
  readonly clipNorm: number;
  /** Standard deviation of the noise on the sum of the updates, divided by `clipNorm`. */
  readonly noiseMultiplier: number;
  /** Delta at which epsilon is reported. Set it below one divided by the number of clients. */
  readonly delta: number;
  /**
   * How client selection reduces epsilon. `none`, the default: it does not; every client is assumed to be
   * selected. `poisson`: each client of the population is selected independently with the same probability,
   * and the selection is secret. Only then does epsilon shrink with the share of selected clients; a
   * selection of a fixed number is close to that, but not the same.
   */
  readonly sampling?: "none" | "poisson";
  /** Source of random bytes for the noise. Default: the engine's cryptographic source. */
  readonly fill?: FillRandom;
}

/** Privacy account of a federation. */
export interface FederationPrivacy {
  /** Returns the cost of all rounds so far. */
  spent(): { readonly epsilon: number; readonly delta: number; readonly noiseMultiplier: number };
  /**
   * Records a round. Call it for each round that was closed with a model, and after a restart for each
   * earlier such round. An abandoned round reveals nothing.
   */
  onRound(round: { readonly selected: number; readonly accepted: number; readonly population: number }): void;
}

/** A private aggregator and its privacy account. */
export interface PrivateAggregation {
  readonly aggregator: Aggregator;
  readonly privacy: FederationPrivacy;
}

/**
 * Creates federated averaging with differential privacy for each client, around any rule that needs only the
 * mean. Updates are clipped to `clipNorm` and weighed equally, and the mean gets Gaussian noise with a
 * standard deviation of `noiseMultiplier * clipNorm / count` before the rule's own step, so that the rule's
 * momentum also depends on noisy data only. Updates are deliberately not weighed by samples: one client with
 * many samples would move the mean by more than the noise covers. The aggregator itself sees every update;
 * use secure aggregation if it must not.
 *
 * Neighboring federations differ in one client, whose updates are zero in one of them; the number of
 * participants is public. Source: McMahan et al., "Learning Differentially Private Recurrent Language
 * Models", 2018 (1710.06963).
 * @throws {RangeError} If a number is out of range.
 * @throws {TypeError} If the rule needs the updates themselves: no noise is known that fits its median or
 * selection.
 */
export function privateAggregator(
  aggregator: Aggregator,
  { clipNorm, noiseMultiplier, delta, sampling = "none", fill }: PrivateAggregatorOptions,
): PrivateAggregation {
  if (!aggregator.needsSumOnly)
    throw new TypeError(
      `aggregate privately: expected a rule that needs only the mean; got ${aggregator.name}`,
    );
  if (!(clipNorm > 0 && clipNorm < Infinity))
    throw new RangeError(`aggregate privately: expected clipNorm above 0; got ${clipNorm}`);
  if (!(noiseMultiplier > 0 && noiseMultiplier < Infinity))
    throw new RangeError(`aggregate privately: expected noiseMultiplier above 0; got ${noiseMultiplier}`);
  const bits = randomBits(fill);
  const noised = (mean: Float32Array, count: number): Float32Array =>
    addGaussianNoise(mean, { deviation: (noiseMultiplier * clipNorm) / count, bits });

  return {
    aggregator: {
      name: `${aggregator.name} with differential privacy`,
      minClients: aggregator.minClients,
      needsSumOnly: true,
      aggregate() {
        throw new SednaError(
          "aggregate privately: expected updates of a model, which can be clipped; got whole weights",
          { code: "privacy-forbids" },
        );
      },
      createAccumulator: (round) => privateAccumulator(round, { aggregator, clipNorm, noised }),
    },
    privacy: federationPrivacy({ accountant: createPrivacyAccountant({ delta }), noiseMultiplier, sampling }),
  };
}

/** Options of {@link privateAccumulator}. */
interface OpenPrivatelyOptions {
  readonly aggregator: Aggregator;
  readonly clipNorm: number;
  readonly noised: (mean: Float32Array, count: number) => Float32Array;
}

function privateAccumulator(
  round: AggregationRound,
  { aggregator, clipNorm, noised }: OpenPrivatelyOptions,
): Accumulator {
  const sum = aggregator.createAccumulator(round);
  // Process one update at a time: the kernel checks, clips and decodes it.
  const one = round.kernels.weightedMean({ length: round.base.length });
  // Leave a margin for rounding to float32, which may increase the norm.
  const roundedClip = clipNorm * (1 - 2 ** -22);
  return {
    get count() {
      return sum.count;
    },
    get totalWeight() {
      return sum.totalWeight;
    },
    add(update, { client }) {
      one.reset();
      const norm = one.add(update, { weight: 1, clipNorm: roundedClip });
      sum.add({ encoding: "f32", values: one.result() }, { weight: 1, client });
      return norm;
    },
    state: () => sum.state(),
    restore: (state) => sum.restore(state),
    finish() {
      const state = sum.state();
      if (state === undefined || state.count < Math.max(1, aggregator.minClients)) return sum.finish();
      const released = aggregator.createAccumulator(round);
      try {
        released.restore({ ...state, mean: noised(state.mean, state.count) });
        return released.finish();
      } finally {
        released.dispose();
      }
    },
    dispose() {
      one.dispose();
      sum.dispose();
    },
  };
}

/** Options of {@link federationPrivacy}. */
interface FederationPrivacyOptions {
  readonly accountant: PrivacyAccountant;
  readonly noiseMultiplier: number;
  readonly sampling: "none" | "poisson";
}

function federationPrivacy({
  accountant,
  noiseMultiplier,
  sampling,
}: FederationPrivacyOptions): FederationPrivacy {
  return {
    spent: () => ({ epsilon: accountant.epsilon(), delta: accountant.delta, noiseMultiplier }),
    onRound({ selected, population }) {
      const samplingRate = sampling === "poisson" && population > 0 ? Math.min(1, selected / population) : 1;
      accountant.compose({ noiseMultiplier, samplingRate, steps: 1 });
    },
  };
}
