import { describe, expect, it } from "vitest";
import { headLayers, parameterCount, type Head } from "./head.ts";
import type { HeadTrainerOptions } from "./head-training.ts";
import { seededRandom } from "../module/seeded-random.ts";
import type { TrainingKernels } from "./training-kernels.ts";

const softmax: Head = { kind: "softmax", features: 5, classes: 3 };
const mlp: Head = { kind: "mlp", features: 5, hidden: 7, classes: 3 };

/**
 * Returns random samples. Each class surrounds its own point on a circle; a `noise` of 0.2 keeps the classes
 * apart.
 */
export function clusters({
  head,
  count,
  noise = 0.2,
  seed = 1,
}: {
  head: Head;
  count: number;
  noise?: number;
  seed?: number;
}) {
  const random = seededRandom({ seed, stream: 99 });
  const labels = Uint32Array.from({ length: count }, (_, i) => i % head.classes);
  const samples = Float32Array.from({ length: count * head.features }, (_, i) => {
    const angle = (2 * Math.PI * labels[Math.floor(i / head.features)]!) / head.classes;
    return Math.cos(angle + (i % head.features)) + noise * (2 * random() - 1);
  });
  return { samples, labels };
}

const norm = (values: Float32Array) => Math.hypot(...values);
const distance = (a: Float32Array, b: Float32Array) => norm(a.map((value, i) => value - b[i]!));

/**
 * Tests that the head trainer of every backend must pass. `make` creates kernels that the test may dispose.
 */
export function headTrainerSuite({
  kernels,
  make,
}: {
  kernels: () => TrainingKernels;
  make: () => Promise<TrainingKernels>;
}): void {
  const train = (options: HeadTrainerOptions, epochs = 0) => {
    const trainer = kernels().headTrainer(options);
    for (let i = 0; i < epochs; i++) trainer.epoch();
    return trainer;
  };

  describe.each([
    ["softmax", softmax],
    ["mlp", mlp],
  ] as const)("headTrainer() with a head of kind %s", (kind, head) => {
    const data = { head, ...clusters({ head, count: 61 }) };

    it("learns separable classes with an accuracy of 1", () => {
      using trainer = train(data, 40);
      const last = trainer.epoch();
      expect(last).toMatchObject({ accuracy: 1, samples: 61 });
      expect(last.loss).toBeLessThan(0.2);
      const probabilities = trainer.predict(data.samples);
      for (const [i, label] of data.labels.entries()) {
        const row = probabilities.subarray(3 * i, 3 * i + 3);
        expect(row.indexOf(Math.max(...row))).toBe(label);
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      }
    });

    it("follows the gradient of the loss: a step of SGD matches finite differences", () => {
      const weights = Float32Array.from({ length: parameterCount(head) }, (_, i) => Math.sin(i + 1) / 2);
      const options = { ...data, weights, classWeights: Float32Array.of(1, 0.5, 3), batchSize: 100 };
      using trainer = train({ ...options, optimizer: { kind: "sgd", learningRate: 1 }, l2: 0.3 }, 1);
      const stepped = trainer.weights();
      const biases = new Set(
        headLayers(head).flatMap(({ biases: at, outputs }) =>
          Array.from({ length: outputs }, (_, i) => at + i),
        ),
      );
      using probe = train({ ...options, optimizer: { kind: "sgd", learningRate: 1e-30 } });
      const lossAt = (i: number, shift: number) => {
        probe.setWeights(weights.map((weight, k) => (k === i ? weight + shift : weight)));
        return probe.epoch().loss;
      };
      for (let i = 0; i < weights.length; i += 3) {
        const slope = (lossAt(i, 1 / 64) - lossAt(i, -1 / 64)) * 32 + (biases.has(i) ? 0 : 0.3 * weights[i]!);
        expect(weights[i]! - stepped[i]!).toBeCloseTo(slope, 2);
      }
    });

    it("gives the same bits for the same seed and different bits for another seed", () => {
      const bits = (seed: number) => {
        using trainer = train({ ...data, seed }, 3);
        return trainer.weights();
      };
      expect(bits(7)).toEqual(bits(7));
      expect(bits(7)).not.toEqual(bits(8));
    });

    it.each<[string, Partial<HeadTrainerOptions>]>([
      ["Adam", {}],
      ["SGD", { optimizer: { kind: "sgd", learningRate: 0.1 } }],
      [
        "SGD with momentum and FedProx",
        { optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9 }, proximal: 0.5 },
      ],
    ])("resumes from its state with the same bits as without a stop: %s", (_, options) => {
      using whole = train({ ...data, ...options }, 5);
      using first = train({ ...data, ...options }, 2);
      using second = train({ ...data, ...options, state: first.state() }, 3);
      expect(second.weights()).toEqual(whole.weights());
      expect(second.state()).toEqual(whole.state());
    });

    it("stays close to its initial parameters with FedProx", () => {
      const weights = Float32Array.from({ length: parameterCount(head) }, (_, i) => Math.cos(i) / 3);
      const moved = (proximal: number, learningRate: number) => {
        using trainer = train({ ...data, weights, optimizer: { kind: "sgd", learningRate }, proximal }, 20);
        return distance(trainer.weights(), weights);
      };
      expect(moved(1e4, 1e-4)).toBeLessThan(2e-4);
      expect(moved(10, 0.05)).toBeLessThan(0.3 * moved(0, 0.05));
    });

    it("moves the anchor of FedProx and resets the moments in setWeights()", () => {
      const options = {
        ...data,
        proximal: 1e4,
        optimizer: { kind: "sgd", learningRate: 1e-4, momentum: 0.9 },
      } as const;
      const weights = new Float32Array(parameterCount(head)).fill(0.25);
      // Two trainers with the same number of epochs, which determines the sample order, but with different
      // histories.
      const [near, far] = [
        train({ ...options, weights }, 2),
        train({ ...options, weights: weights.map(() => 5) }, 2),
      ];
      for (const trainer of [near, far]) {
        trainer.setWeights(weights);
        expect(trainer.weights()).toEqual(weights);
        trainer.epoch();
        expect(distance(trainer.weights(), weights)).toBeLessThan(1e-2);
      }
      expect(far.state()).toEqual(near.state());
      near.dispose();
      far.dispose();
    });

    it("shrinks the weights, but not the biases, with l2", () => {
      const size = (l2: number) => {
        using trainer = train({ ...data, l2 }, 30);
        return norm(trainer.weights());
      };
      expect(size(0.5)).toBeLessThan(0.7 * size(0));
      const [output] = headLayers(head).slice(-1);
      const zeros = {
        ...data,
        samples: new Float32Array(data.samples.length),
        labels: data.labels.map(() => 1),
      };
      using trainer = train({ ...zeros, l2: 1000, optimizer: { kind: "sgd", learningRate: 0.001 } }, 200);
      expect(trainer.weights()[output!.biases + 1]).toBeGreaterThan(0.1);
    });

    it("predicts the class with the larger weight for identical samples", () => {
      const alike = {
        head,
        samples: new Float32Array(12 * 5).fill(0.5),
        labels: Uint32Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
      };
      const favoured = (classWeights?: Float32Array) => {
        using trainer = train(classWeights ? { ...alike, classWeights } : alike, 100);
        const row = trainer.predict(alike.samples.subarray(0, 5));
        return row.indexOf(Math.max(...row));
      };
      expect(favoured()).toBe(0);
      expect(favoured(Float32Array.of(1, 5, 1))).toBe(1);
    });

    it("stays finite if most samples belong to a class with weight 0", () => {
      using trainer = train(
        {
          ...data,
          labels: data.labels.map((_, i) => (i < 2 ? i : 2)),
          classWeights: Float32Array.of(1, 1, 0),
          batchSize: 5,
        },
        3,
      );
      expect(trainer.epoch().loss).toBeGreaterThan(0);
      expect(trainer.weights().every(Number.isFinite)).toBe(true);
    });

    it("predicts any number of samples, including none", () => {
      using trainer = train(data, 1);
      const all = trainer.predict(data.samples);
      expect(trainer.predict(new Float32Array(0))).toEqual(new Float32Array(0));
      for (const count of [1, 3, 4, 5])
        expect(trainer.predict(data.samples.subarray(0, 5 * count))).toEqual(all.subarray(0, 3 * count));
      const many = new Float32Array(5 * 10_003);
      for (let i = 0; i < many.length; i += 5) many.set(data.samples.subarray(0, 5), i);
      expect(trainer.predict(many).subarray(-3)).toEqual(all.subarray(0, 3));
    });

    it("reports that training diverged and keeps the state from before the epoch", () => {
      using trainer = train({
        ...data,
        optimizer: { kind: "sgd", learningRate: 1e4, momentum: 0.5 },
        l2: 1e4,
        batchSize: 4,
      });
      const before = trainer.state();
      expect(() => trainer.epoch()).toThrow(
        /^epoch: expected a finite loss, finite weights and moments; got a loss of .+: training diverged\. Try a learning rate below 10000, or smaller features$/,
      );
      expect(trainer.state()).toEqual(before);
    });

    it.each<[string, Partial<HeadTrainerOptions>]>([
      ["SGD", { optimizer: { kind: "sgd", learningRate: 100 } }],
      ["SGD with momentum", { optimizer: { kind: "sgd", learningRate: 100, momentum: 0.9 } }],
    ])("behaves like a new trainer if weights are set after training diverged: %s", (_, options) => {
      const stiff = { ...data, ...options, l2: 10, batchSize: 100 };
      using used = train(stiff);
      const weights = used.weights();
      used.setWeights(weights.map(() => 3e38));
      expect(() => used.epoch()).toThrow("training diverged");
      used.setWeights(weights);
      used.epoch();
      using fresh = train(stiff, 1);
      expect(used.state()).toEqual(fresh.state());
    });

    it("starts from zeros as softmax and from small random weights and zero biases as mlp", () => {
      using trainer = train(data);
      expect(trainer.length).toBe(kind === "softmax" ? 3 * 6 : 7 * 6 + 3 * 8);
      const weights = trainer.weights();
      for (const layer of headLayers(head)) {
        const most = kind === "softmax" ? 0 : Math.sqrt(6 / (layer.inputs + layer.outputs));
        const drawn = weights.subarray(layer.weights, layer.biases);
        expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(most);
        expect(norm(drawn)).toBeGreaterThanOrEqual(0.3 * most);
        expect(norm(weights.subarray(layer.biases, layer.biases + layer.outputs))).toBe(0);
      }
    });
  });

  describe("headTrainer(), bad input", () => {
    const good = { head: softmax, ...clusters({ head: softmax, count: 4 }) };
    // Wrong types on purpose: JavaScript callers can pass them.
    const wrong = (value: unknown) => value as never;
    const spoilt = good.samples.slice();
    spoilt[7] = NaN;

    it.each<[string, typeof TypeError | typeof RangeError, Partial<HeadTrainerOptions>]>([
      ["head to be an object; got 5", TypeError, { head: wrong(5) }],
      ['head.kind to be "softmax" or "mlp"; got "svm"', RangeError, { head: wrong({ kind: "svm" }) }],
      [
        "head.features to be an integer in 1..16777215; got 0",
        RangeError,
        { head: { ...softmax, features: 0 } },
      ],
      [
        "head.hidden to be an integer; got undefined",
        TypeError,
        { head: wrong({ ...softmax, kind: "mlp" }) },
      ],
      ["samples to be a Float32Array; got Array", TypeError, { samples: wrong([1]) }],
      ["samples to have 20 elements; got 19", RangeError, { samples: new Float32Array(19) }],
      ["samples[7] to be finite; got NaN", RangeError, { samples: spoilt }],
      ["labels to be a Uint32Array; got undefined", TypeError, { labels: wrong(undefined) }],
      [
        "labels to have at least 1 element; got 0",
        RangeError,
        { samples: new Float32Array(0), labels: new Uint32Array(0) },
      ],
      ["labels[2] to be below 3 (classes); got 3", RangeError, { labels: Uint32Array.of(0, 1, 3, 2) }],
      [
        'optimizer.kind to be "sgd" or "adam"; got "lbfgs"',
        RangeError,
        { optimizer: wrong({ kind: "lbfgs" }) },
      ],
      [
        "optimizer.learningRate to be a number; got NaN",
        RangeError,
        { optimizer: { kind: "sgd", learningRate: NaN } },
      ],
      [
        "optimizer.learningRate to be positive; got 0",
        RangeError,
        { optimizer: { kind: "adam", learningRate: 0 } },
      ],
      [
        "optimizer.momentum to be in 0..1, 1 excluded; got 1",
        RangeError,
        { optimizer: { kind: "sgd", learningRate: 1, momentum: 1 } },
      ],
      [
        "optimizer.beta2 to be in 0..1, 1 excluded; got -1",
        RangeError,
        { optimizer: { kind: "adam", learningRate: 1, beta2: -1 } },
      ],
      [
        "optimizer.epsilon to be at least 1e-20; got 0",
        RangeError,
        { optimizer: { kind: "adam", learningRate: 1, epsilon: 0 } },
      ],
      ["batchSize to be an integer in 1..2147483647; got 0.5", RangeError, { batchSize: 0.5 }],
      ["l2 to be at least 0; got -1", RangeError, { l2: -1 }],
      ["proximal to be finite; got Infinity", RangeError, { proximal: Infinity }],
      ["classWeights to have 3 elements; got 2", RangeError, { classWeights: new Float32Array(2) }],
      ["classWeights[1] to be at least 0; got -1", RangeError, { classWeights: Float32Array.of(1, -1, 1) }],
      [
        "classWeights to be above 0 for a class that has samples; got 0",
        RangeError,
        { classWeights: new Float32Array(3) },
      ],
      ["seed to be an integer in 0..4294967295; got -1", RangeError, { seed: -1 }],
      ["weights to have 18 elements; got 17", RangeError, { weights: new Float32Array(17) }],
      ["state to have 58 elements; got 18", RangeError, { state: new Float32Array(18) }],
      [
        "state[54] to be an integer in 0..16777215; got 0.5",
        RangeError,
        { state: new Float32Array(58).fill(0.5) },
      ],
      [
        "weights to be undefined if state is given; got Float32Array",
        TypeError,
        { weights: new Float32Array(18), state: new Float32Array(58) },
      ],
    ])("throws: expected %s", (message, kind, options) => {
      const attempt = () => kernels().headTrainer({ ...good, ...options });
      expect(attempt).toThrow(`headTrainer: expected ${message}`);
      expect(attempt).toThrow(kind);
    });

    it("rejects invalid weights and samples and leaves the trainer unchanged", () => {
      using trainer = train(good, 1);
      const before = trainer.state();
      expect(() => trainer.setWeights(new Float32Array(3))).toThrow(
        new RangeError("setWeights: expected weights to have 18 elements; got 3"),
      );
      expect(() => trainer.setWeights(new Float32Array(18).fill(NaN))).toThrow(
        new RangeError("setWeights: expected weights[0] to be finite; got NaN"),
      );
      expect(() => trainer.predict(new Float32Array(4))).toThrow(
        new RangeError("predict: expected samples to have a multiple of 5 elements; got 4"),
      );
      expect(trainer.state()).toEqual(before);
    });

    it("copies its input", () => {
      const own = {
        head: softmax,
        samples: good.samples.slice(),
        labels: good.labels.slice(),
        classWeights: Float32Array.of(1, 2, 3),
      };
      using changed = train(own);
      own.samples.fill(9);
      own.labels.fill(0);
      own.classWeights.fill(1);
      using fresh = train({ ...good, classWeights: Float32Array.of(1, 2, 3) }, 2);
      changed.epoch();
      changed.epoch();
      expect(changed.weights()).toEqual(fresh.weights());
    });

    it("throws after the trainer or its kernels are disposed", async () => {
      const trainer = train(good, 1);
      trainer.dispose();
      trainer[Symbol.dispose]();
      expect(() => trainer.epoch()).toThrow("epoch: expected a head trainer in use; got a disposed one");
      const own = await make();
      const orphan = own.headTrainer(good);
      own.dispose();
      expect(() => orphan.weights()).toThrow("weights: expected kernels in use; got disposed ones");
      expect(() => own.headTrainer(good)).toThrow("headTrainer: expected kernels in use; got disposed ones");
    });
  });
}
