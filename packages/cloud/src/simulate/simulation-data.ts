import { dirichletSplit } from "@sedna-js/core/datasets";
import { seededRandom } from "@sedna-js/wasm-kernels";

/** Samples and the class of each. */
export interface SampleSet {
  /** Shape `[n, features]`. */
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
}

/** What the clients of a simulation have, and what their model is judged by. */
export interface SimulationData {
  readonly features: number;
  readonly classes: number;
  /** Of each client; none is empty. */
  readonly parts: readonly SampleSet[];
  readonly test: SampleSet;
}

/** How data is dealt out. */
export interface DealOptions {
  readonly clients: number;
  /**
   * Of the Dirichlet distribution that a client's classes are drawn from: at 0.1 most have one to three, at
   * 100 all.
   */
  readonly alpha: number;
  readonly seed: number;
}

const FEATURES = 16;
const CLASSES = 10;
/**
 * Of the classes' centres, in standard deviations of a class: the best classifier is right in nine of ten.
 */
const SPREAD = 0.75;
const MIN_SAMPLES = 20;
const MAX_SAMPLES = 60;
const TEST_SAMPLES = 2000;

/**
 * Ten classes of 16 numbers, each a Gaussian about its own centre; each client has 20 to 60 samples of its
 * own mix of classes.
 */
export function gaussianData({ clients, alpha, seed }: DealOptions): SimulationData {
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
    // As many samples of nothing, dealt out to the classes.
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
 * Samples that are there already: every fifth judges, the rest is dealt out. Clients that would get none are
 * left out.
 */
export function dealtData(
  { samples, labels }: SampleSet,
  { clients, alpha, seed }: DealOptions,
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

/** Box and Muller's way from two uniform draws to a normal one. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
