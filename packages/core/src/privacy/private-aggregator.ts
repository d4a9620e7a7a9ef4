import type { AggregationRound, Aggregator, Accumulator } from "../aggregation/aggregator.ts";
import { SednaError } from "../errors.ts";
import { addGaussianNoise } from "./gaussian-noise.ts";
import { createPrivacyAccountant, type PrivacyAccountant } from "./privacy-accountant.ts";
import { randomBits, type FillRandom } from "./random-bits.ts";

/** Options of {@link privateAggregator}. */
export interface PrivateAggregatorOptions {
  /** Every client's change is scaled down to this L2 norm. */
  readonly clipNorm: number;
  /** Standard deviation of the noise on the sum of the changes, over `clipNorm`. */
  readonly noiseMultiplier: number;
  /** What epsilon is told for; below one over the number of clients. */
  readonly delta: number;
  /**
   * What a round's choice of clients is worth. `none`, the default: a client that is always chosen is counted
   * on. `poisson`: each client of the population is chosen with the same probability, alone, and nobody sees
   * who was. Only then does epsilon shrink with the share of the chosen; a choice of a fixed number is near
   * to it, but not it.
   */
  readonly sampling?: "none" | "poisson";
  /** Source of random bytes for the noise. Default: the engine's cryptographic source. */
  readonly fill?: FillRandom;
}

/** What a federation tells and asks of its privacy. */
export interface FederationPrivacy {
  /** What all rounds together have cost so far. */
  spent(): { readonly epsilon: number; readonly delta: number; readonly noiseMultiplier: number };
  /**
   * To be called for each round that was closed with a model, and after a restart for each that was before.
   * An abandoned round gives nothing away.
   */
  onRound(round: { readonly selected: number; readonly accepted: number; readonly population: number }): void;
}

/** An aggregator that is private, and the account of it. */
export interface PrivateAggregation {
  readonly aggregator: Aggregator;
  readonly privacy: FederationPrivacy;
}

/**
 * Federated averaging with differential privacy for each client, around any rule that needs the mean only:
 * changes are clipped to `clipNorm`, all weigh the same, and the mean gets Gaussian noise of standard
 * deviation `noiseMultiplier * clipNorm / count` before the rule's own step, so that a rule's momentum too
 * knows nothing but what was noised. Weights by samples are left out on purpose: one client with many samples
 * would move the mean further than the noise is for. The aggregator itself sees every change; who must not,
 * needs a secure sum as well.
 *
 * Neighbours are federations in which one client's changes are nothing; how many took part is public. Source:
 * McMahan et al., "Learning Differentially Private Recurrent Language Models", 2018 (1710.06963).
 * @throws {RangeError} on numbers out of range.
 * @throws {TypeError} for a rule that needs the updates themselves: no noise is known that fits its median or
 * choice.
 */
export function privateAggregator(
  aggregator: Aggregator,
  { clipNorm, noiseMultiplier, delta, sampling = "none", fill }: PrivateAggregatorOptions,
): PrivateAggregation {
  if (!aggregator.needsSumOnly)
    throw new TypeError(
      `aggregate privately: expected a rule that needs the mean only; got ${aggregator.name}`,
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
          "aggregate privately: expected changes of a model, which can be clipped; got whole weights",
          { code: "privacy-forbids" },
        );
      },
      open: (round) => openPrivately(round, { aggregator, clipNorm, noised }),
    },
    privacy: federationPrivacy({ accountant: createPrivacyAccountant({ delta }), noiseMultiplier, sampling }),
  };
}

/** Options of {@link openPrivately}. */
interface OpenPrivatelyOptions {
  readonly aggregator: Aggregator;
  readonly clipNorm: number;
  readonly noised: (mean: Float32Array, count: number) => Float32Array;
}

function openPrivately(
  round: AggregationRound,
  { aggregator, clipNorm, noised }: OpenPrivatelyOptions,
): Accumulator {
  const sum = aggregator.open(round);
  // One change at a time: the kernel checks it, clips it, and writes any encoding out as numbers.
  const one = round.kernels.weightedMean({ length: round.base.length });
  // What rounding to f32 may add to a norm.
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
      const released = aggregator.open(round);
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
