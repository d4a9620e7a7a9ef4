import { describe, expect, it } from "vitest";
import { isMissing } from "./peer.ts";
import { fedAvgAxpy, fedAvgUnrolled } from "./plain-averaging.ts";
import { softmaxTrainingLoop } from "./plain-training.ts";
import { tfjsFitTraining } from "./tfjs-layers.ts";
import { tfjsGuideTraining, tfjsSoftmaxTraining } from "./tfjs-training.ts";
import type { Training } from "./training.ts";

function noise(length: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 23 - 1,
  );
}

const classes = 3;
const features = 7;
const labels = Uint32Array.from({ length: 50 }, (_, i) => (i * 7) % classes);
const task = { samples: noise(50 * features), labels, features, classes, epochs: 3, batchSize: 16 };

/** The textbook implementation in f64: weights `[classes, features]`, then biases. */
function byTheBook({ samples, optimizer: { kind, learningRate }, epochs, batchSize }: Training): number[] {
  const size = (features + 1) * classes;
  const [weights, first, second] = [
    Array<number>(size).fill(0),
    Array<number>(size).fill(0),
    Array<number>(size).fill(0),
  ];
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let start = 0; start < labels.length; start += batchSize) {
      const batch = Array.from(labels.subarray(start, start + batchSize), (label, i) => ({
        label,
        x: [...samples.subarray((start + i) * features, (start + i + 1) * features), 1],
      }));
      const gradient = Array<number>(size).fill(0);
      const place = (c: number, k: number): number =>
        k < features ? c * features + k : features * classes + c;
      for (const { label, x } of batch) {
        const powers = Array.from({ length: classes }, (_, c) =>
          Math.exp(x.reduce((sum, value, k) => sum + value * weights[place(c, k)]!, 0)),
        );
        const total = powers.reduce((a, b) => a + b);
        for (const [c, power] of powers.entries())
          for (const [k, value] of x.entries())
            gradient[place(c, k)]! += ((power / total - (c === label ? 1 : 0)) * value) / batch.length;
      }
      steps++;
      for (const [i, slope] of gradient.entries()) {
        first[i] = 0.9 * first[i]! + 0.1 * slope;
        second[i] = 0.999 * second[i]! + 0.001 * slope ** 2;
        weights[i]! -=
          learningRate *
          (kind === "sgd"
            ? slope
            : first[i]! / (1 - 0.9 ** steps) / (Math.sqrt(second[i]! / (1 - 0.999 ** steps)) + 1e-8));
      }
    }
  }
  return weights;
}

const probe = await tfjsSoftmaxTraining({ ...task, optimizer: { kind: "sgd", learningRate: 0.1 } });
const reason = isMissing(probe) ? probe.reason : undefined;
if (!isMissing(probe)) probe.dispose();

for (const kind of ["sgd", "adam"] as const) {
  const training: Training = { ...task, optimizer: { kind, learningRate: 0.05 } };
  const check = (found: Float32Array): void => {
    const expected = byTheBook(training);
    expect(found).toHaveLength(expected.length);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 4);
  };

  describe(`training a softmax head by ${kind}`, () => {
    it("softmaxTrainingLoop() reaches the weights of the textbook's formulas in each run", () => {
      const peer = softmaxTrainingLoop(training);
      for (let run = 0; run < 2; run++) {
        peer.run();
        check(peer.weights());
      }
      peer.dispose();
    });

    for (const [name, make] of Object.entries({ tfjsFitTraining, tfjsGuideTraining, tfjsSoftmaxTraining })) {
      it.skipIf(reason)(
        `${name}() reaches them too${reason === undefined ? "" : ` (SKIPPED: ${reason})`}`,
        async () => {
          const peer = await make(training);
          if (isMissing(peer)) throw new Error(peer.reason);
          for (let run = 0; run < 2; run++) {
            await peer.run();
            check(peer.weights());
          }
          peer.dispose();
        },
      );
    }
  });
}

describe("averaging in JavaScript", () => {
  for (const clients of [1, 4, 5, 12]) {
    for (const length of [0, 1, 5, 20_003]) {
      it(`both loops return the weighted mean of ${clients} clients of ${length} elements`, () => {
        const vectors = Array.from({ length: clients }, (_, k) => noise(length, k + 1));
        const total = (clients * (clients + 1)) / 2;
        const weights = Float32Array.from({ length: clients }, (_, k) => (k + 1) / total);
        const mean = Float64Array.from({ length }, (_, i) =>
          vectors.reduce((sum, vector, k) => sum + vector[i]! * weights[k]!, 0),
        );
        for (const average of [fedAvgAxpy, fedAvgUnrolled]) {
          const out = average(vectors, { weights, out: new Float32Array(length).fill(9) });
          expect(
            out.reduce((worst, value, i) => Math.max(worst, Math.abs(value - mean[i]!)), 0),
          ).toBeLessThan(1e-6);
        }
      });
    }
  }
});
