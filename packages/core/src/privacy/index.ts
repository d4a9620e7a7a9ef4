/** Differential privacy: noise, accountants, and private aggregators. */

export { gaussianEpsilon, gaussianNoiseFor } from "./analytic-gaussian.ts";
export { addGaussianNoise } from "./gaussian-noise.ts";
export {
  createPrivacyAccountant,
  type GaussianReleases,
  noiseMultiplierFor,
  type PrivacyAccountant,
} from "./privacy-accountant.ts";
export {
  type FederationPrivacy,
  type PrivateAggregation,
  privateAggregator,
  type PrivateAggregatorOptions,
} from "./private-aggregator.ts";
export { privateVectors, type VectorMechanism } from "./private-vectors.ts";
export { cryptographicRandom, type FillRandom, randomBits, type RandomBits } from "./random-bits.ts";
export {
  estimateCounts,
  randomizedResponse,
  type RandomizedResponse,
  randomizeLabels,
} from "./randomized-response.ts";
