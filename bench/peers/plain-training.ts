import type { Training, TrainingPeer } from "./training.ts";

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/**
 * Trains a softmax head in careful JavaScript loops: typed arrays, four sums or samples at a time, no
 * allocation during training.
 */
export function softmaxTrainingLoop(training: Training): TrainingPeer {
  const { labels, features, classes, epochs, batchSize } = training;
  const size = (features + 1) * classes;
  const arrays = {
    weights: new Float32Array(size),
    gradient: new Float32Array(size),
    first: new Float32Array(size),
    second: new Float32Array(size),
    errors: new Float64Array(batchSize * classes),
  };
  return {
    name: "JavaScript loop",
    version: process.version,
    layout: "1 thread, f32 arrays, four accumulators; gradients of four samples at a time",
    run() {
      for (const array of [arrays.weights, arrays.first, arrays.second]) array.fill(0);
      let steps = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (let start = 0; start < labels.length; start += batchSize) {
          const end = Math.min(start + batchSize, labels.length);
          for (let sample = start; sample < end; sample++)
            findErrors(training, {
              arrays,
              sample,
              at: (sample - start) * classes,
              share: 1 / (end - start),
            });
          findGradient(training, { arrays, start, end });
          step(training, { arrays, steps: ++steps });
        }
      }
    },
    weights: () => arrays.weights.slice(),
    dispose() {},
  };
}

interface Arrays {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Probability minus target for each sample of a batch, divided by the number of samples. */
  readonly errors: Float64Array;
}

function findErrors(
  { samples, labels, features, classes }: Training,
  {
    arrays: { weights, errors },
    sample,
    at,
    share,
  }: { readonly arrays: Arrays; readonly sample: number; readonly at: number; readonly share: number },
): void {
  const from = sample * features;
  const whole = features - (features % 4);
  let most = -Infinity;
  for (let c = 0; c < classes; c++) {
    const row = c * features;
    let p = weights[features * classes + c]!;
    let q = 0;
    let r = 0;
    let s = 0;
    for (let k = 0; k < whole; k += 4) {
      p += weights[row + k]! * samples[from + k]!;
      q += weights[row + k + 1]! * samples[from + k + 1]!;
      r += weights[row + k + 2]! * samples[from + k + 2]!;
      s += weights[row + k + 3]! * samples[from + k + 3]!;
    }
    for (let k = whole; k < features; k++) p += weights[row + k]! * samples[from + k]!;
    errors[at + c] = p + q + r + s;
    if (errors[at + c]! > most) most = errors[at + c]!;
  }
  let sum = 0;
  for (let c = at; c < at + classes; c++) sum += errors[c] = Math.exp(errors[c]! - most);
  for (let c = at; c < at + classes; c++) errors[c]! *= share / sum;
  errors[at + labels[sample]!]! -= share;
}

function findGradient(
  { samples, features, classes }: Training,
  {
    arrays: { gradient, errors },
    start,
    end,
  }: { readonly arrays: Arrays; readonly start: number; readonly end: number },
): void {
  const count = end - start;
  gradient.fill(0);
  for (let i = 0; i < count; i += 4) {
    const a = (start + i) * features;
    // Past the last sample, use the last sample with an error of 0.
    const b = (start + Math.min(i + 1, count - 1)) * features;
    const c = (start + Math.min(i + 2, count - 1)) * features;
    const d = (start + Math.min(i + 3, count - 1)) * features;
    for (let one = 0; one < classes; one++) {
      const at = i * classes + one;
      const p = errors[at]!;
      const q = i + 1 < count ? errors[at + classes]! : 0;
      const r = i + 2 < count ? errors[at + 2 * classes]! : 0;
      const s = i + 3 < count ? errors[at + 3 * classes]! : 0;
      const row = one * features;
      for (let k = 0; k < features; k++)
        gradient[row + k]! +=
          p * samples[a + k]! + q * samples[b + k]! + r * samples[c + k]! + s * samples[d + k]!;
      gradient[features * classes + one]! += p + q + r + s;
    }
  }
}

function step(
  { optimizer: { kind, learningRate } }: Training,
  {
    arrays: { weights, gradient, first, second },
    steps,
  }: { readonly arrays: Arrays; readonly steps: number },
): void {
  const size = weights.length;
  if (kind === "sgd") {
    for (let i = 0; i < size; i++) weights[i]! -= learningRate * gradient[i]!;
    return;
  }
  const mean = learningRate / (1 - BETA1 ** steps);
  const square = 1 / (1 - BETA2 ** steps);
  for (let i = 0; i < size; i++) {
    const slope = gradient[i]!;
    const m = (first[i] = BETA1 * first[i]! + (1 - BETA1) * slope);
    const v = (second[i] = BETA2 * second[i]! + (1 - BETA2) * slope * slope);
    weights[i]! -= (mean * m) / (Math.sqrt(v * square) + EPSILON);
  }
}
