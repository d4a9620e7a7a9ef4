import { dirichletSplit } from "@sedna-js/core/datasets";
import { seededRandom } from "@sedna-js/wasm-kernels";

/** Samples and the class of each sample. */
export interface SampleSet {
  /** Shape `[n, features]`. */
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
}

/** Data of a simulation: samples of each client, and a test set for the model. */
export interface SimulationData {
  readonly features: number;
  readonly classes: number;
  /** Samples of each client; no client's set is empty. */
  readonly parts: readonly SampleSet[];
  readonly test: SampleSet;
}

/** Options for the distribution of samples to clients. */
export interface SplitOptions {
  readonly clients: number;
  /**
   * Parameter of the Dirichlet distribution from which a client's classes are drawn: at 0.1 most clients have
   * one to three classes, at 100 all.
   */
  readonly alpha: number;
  readonly seed: number;
}

const FEATURES = 16;
const CLASSES = 10;
/**
 * Standard deviation of the classes' centers, in standard deviations of a class: the best classifier is right
 * in nine of ten cases.
 */
const SPREAD = 0.75;
const MIN_SAMPLES = 20;
const MAX_SAMPLES = 60;
const TEST_SAMPLES = 2000;

/**
 * Returns random samples of ten classes. A sample has 16 numbers; each class is a Gaussian around its own
 * center. Each client has 20 to 60 samples of its own mix of classes.
 */
export function gaussianData({ clients, alpha, seed }: SplitOptions): SimulationData {
  const random = seededRandom({ seed, stream: 1 });
  const centres = Float32Array.from({ length: CLASSES * FEATURES }, () => SPREAD * normal(random));
  const drawn = (labels: Uint32Array): SampleSet => {
    const samples = Float32Array.from(
      { length: labels.length * FEATURES },
      (_, i) => centres[labels[Math.floor(i / FEATURES)]! * FEATURES + (i % FEATURES)]! + normal(random),
    );
    return { samples, labels };
  };
  const parts = Array.from({ length: clients }, () => {
    const size = MIN_SAMPLES + Math.floor(random() * (MAX_SAMPLES - MIN_SAMPLES + 1));
    // Split that many dummy entries between the classes.
    const mix = dirichletSplit(new Uint8Array(size), { parts: CLASSES, alpha, random });
    return drawn(Uint32Array.from(mix.flatMap((share, label) => share.map(() => label))));
  });
  return {
    features: FEATURES,
    classes: CLASSES,
    parts,
    test: drawn(Uint32Array.from({ length: TEST_SAMPLES }, (_, i) => i % CLASSES)),
  };
}

/**
 * Distributes existing samples: every fifth sample goes to the test set, the others go to the clients.
 * Clients that would get no sample are omitted.
 */
export function splitData(
  { samples, labels }: SampleSet,
  { clients, alpha, seed }: SplitOptions,
): SimulationData {
  const features = samples.length / labels.length;
  const pick = (indices: readonly number[]): SampleSet => {
    const picked = new Float32Array(indices.length * features);
    for (const [row, i] of indices.entries())
      picked.set(samples.subarray(i * features, (i + 1) * features), row * features);
    return { samples: picked, labels: Uint32Array.from(indices, (i) => labels[i]!) };
  };
  const all = [...labels.keys()];
  const training = all.filter((i) => i % 5 !== 0);
  const split = dirichletSplit(
    training.map((i) => labels[i]!),
    { parts: clients, alpha, random: seededRandom({ seed, stream: 1 }) },
  );
  const parts = split.filter((part) => part.length > 0).map((part) => pick(part.map((i) => training[i]!)));
  return {
    features,
    classes: labels.reduce((most, label) => Math.max(most, label), 0) + 1,
    parts,
    test: pick(all.filter((i) => i % 5 === 0)),
  };
}

/**
 * Returns a number from the standard normal distribution, by the Box-Muller transform of two uniform numbers.
 */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
