import type { Training, TrainingPeer } from "./training.ts";

const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** A softmax head trained by JavaScript loops with care: typed arrays, four sums at a time, nothing allocated on the way. */
export function softmaxTrainingLoop({ samples, labels, features, classes, epochs, batchSize, optimizer }: Training): TrainingPeer {
  const size = (features + 1) * classes;
  const weights = new Float32Array(size);
  const gradient = new Float32Array(size);
  const first = new Float32Array(size);
  const second = new Float32Array(size);
  const errors = new Float64Array(classes);
  const biases = features * classes;
  const whole = features - (features % 4);

  const addGradient = (sample: number, share: number): void => {
    const from = sample * features;
    let most = -Infinity;
    for (let c = 0; c < classes; c++) {
      const row = c * features;
      let p = weights[biases + c]!;
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
      errors[c] = p + q + r + s;
      if (errors[c]! > most) most = errors[c]!;
    }
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += errors[c] = Math.exp(errors[c]! - most);
    for (let c = 0; c < classes; c++) {
      const error = (errors[c]! / sum - (c === labels[sample] ? 1 : 0)) * share;
      const row = c * features;
      for (let k = 0; k < features; k++) gradient[row + k]! += error * samples[from + k]!;
      gradient[biases + c]! += error;
    }
  };

  const step = (steps: number): void => {
    const { kind, learningRate } = optimizer;
    if (kind === "sgd") {
      for (let i = 0; i < size; i++) weights[i]! -= learningRate * gradient[i]!;
      return;
    }
    const mean = 1 / (1 - BETA1 ** steps);
    const square = 1 / (1 - BETA2 ** steps);
    for (let i = 0; i < size; i++) {
      const slope = gradient[i]!;
      first[i] = BETA1 * first[i]! + (1 - BETA1) * slope;
      second[i] = BETA2 * second[i]! + (1 - BETA2) * slope * slope;
      weights[i]! -= (learningRate * mean * first[i]!) / (Math.sqrt(second[i]! * square) + EPSILON);
    }
  };

  return {
    name: "JavaScript loop",
    version: process.version,
    layout: "1 thread, f32 arrays, four accumulators",
    run() {
      for (const array of [weights, first, second]) array.fill(0);
      let steps = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        for (let start = 0; start < labels.length; start += batchSize) {
          const end = Math.min(start + batchSize, labels.length);
          gradient.fill(0);
          for (let i = start; i < end; i++) addGradient(i, 1 / (end - start));
          step(++steps);
        }
      }
    },
    weights: () => weights.slice(),
    dispose() {},
  };
}
