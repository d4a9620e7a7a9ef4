import type {
  LabeledSample,
  LabeledSamples,
  Tensor,
  TrainableEstimator,
  TrainingPlan,
  TrainingProgress,
} from "@sedna-js/core";
import { afterEach, describe, expect, it } from "vitest";

/** Number of features per sample in the suite's data. */
export const WIDTH = 8;
/** Number of classes in the suite's data. */
export const CLASSES = 3;

/** The estimator that the suite tests. */
export interface TrainableEstimatorSuite {
  /**
   * Creates an estimator for samples that are Float32Arrays of {@link WIDTH} features, with {@link CLASSES}
   * classes. All have the same initial weights.
   */
  readonly make: () => TrainableEstimator<Float32Array, Float32Array>;
  /** Whether the estimator supports FedProx. Default true. */
  readonly proximal?: boolean;
  readonly timeout?: number;
}

/** Returns a generator of reproducible numbers in [0,1). */
function drawn(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Returns separable samples: class c is centered at 2 on feature c. */
export function separable(
  count: number,
  {
    seed = 1,
    version = `separable-${count}-${seed}`,
  }: { readonly seed?: number; readonly version?: string } = {},
): LabeledSamples<Float32Array> & { readonly reads: () => number } {
  const random = drawn(seed);
  const samples = Array.from({ length: count }, (_, i): LabeledSample<Float32Array> => {
    const label = i % CLASSES;
    return {
      label,
      sample: Float32Array.from({ length: WIDTH }, (_, f) => random() - 0.5 + (f === label ? 2 : 0)),
    };
  });
  let reads = 0;
  return {
    version,
    reads: () => reads,
    async *[Symbol.asyncIterator]() {
      reads++;
      yield* samples;
    },
  };
}

const plan: TrainingPlan = { epochs: 12, batchSize: 16, optimizer: { kind: "adam", learningRate: 0.02 } };
const bits = (weights: readonly Tensor[]): string =>
  JSON.stringify(
    weights.map(({ dtype, shape, data }) => [
      dtype,
      shape,
      [...new Uint32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))],
    ]),
  );
const of = <Sample>(...samples: LabeledSample<Sample>[]): LabeledSamples<Sample> => ({
  version: `of-${samples.length}-${String(samples[0]?.label)}-${String((samples[0]?.sample as { length?: number })?.length)}`,
  async *[Symbol.asyncIterator]() {
    yield* samples;
  },
});

/** Conformance suite for estimators that train. */
export function trainableEstimatorSuite(
  name: string,
  { make, proximal = true, timeout = 20_000 }: TrainableEstimatorSuite,
): void {
  describe(`the TrainableEstimator port: ${name}`, { timeout }, () => {
    const made: TrainableEstimator<Float32Array, Float32Array>[] = [];
    const fresh = (): TrainableEstimator<Float32Array, Float32Array> => {
      const one = make();
      made.push(one);
      return one;
    };
    afterEach(async () => {
      for (const one of made.splice(0)) await one.dispose();
    });

    it("learns separable data: the loss falls, the accuracy rises, and unseen samples are classified correctly", async () => {
      const estimator = fresh();
      const test = separable(60, { seed: 2 });
      const before = await estimator.evaluate(test);
      const told: TrainingProgress[] = [];
      const report = await estimator.train(separable(120), {
        plan,
        onProgress: (progress) => told.push(progress),
      });
      const after = await estimator.evaluate(test);
      expect(report).toMatchObject({ numSamples: 120, epochs: 12 });
      const epochs = told.filter(({ phase }) => phase === "training");
      expect(epochs.at(-1)!.loss!).toBeLessThan(epochs[0]!.loss! / 2);
      expect(report.loss).toBe(epochs.at(-1)!.loss);
      expect(after["loss"]!).toBeLessThan(before["loss"]! / 2);
      expect(before["accuracy"]!).toBeLessThan(0.7);
      expect(after["accuracy"]!).toBeGreaterThan(0.95);
      const [{ value }] = [await separable(3)[Symbol.asyncIterator]().next()];
      const probabilities = await estimator.predict(value.sample);
      expect(probabilities).toHaveLength(CLASSES);
      expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 5);
      expect(probabilities.indexOf(Math.max(...probabilities))).toBe(value.label);
    });

    it("reports progress: features first, then each epoch once, and nothing after the training has ended", async () => {
      const estimator = fresh();
      const told: TrainingProgress[] = [];
      await estimator.train(separable(100), { plan, onProgress: (progress) => told.push(progress) });
      const length = told.length;
      const firstEpoch = told.findIndex(({ phase }) => phase === "training");
      expect(told.slice(firstEpoch).map(({ phase, done, total }) => [phase, done, total])).toEqual(
        Array.from({ length: 12 }, (_, i) => ["training", i + 1, 12]),
      );
      const features = told.slice(0, firstEpoch).map(({ done }) => done);
      expect(features).toEqual(features.toSorted((a, b) => a - b));
      expect(features.at(-1)).toBe(100);
      await estimator.getWeights();
      expect(told).toHaveLength(length);
    });

    it("returns the weights that were set, bit-exact, and copies them", async () => {
      const estimator = fresh();
      await estimator.train(separable(30), { plan: { ...plan, epochs: 1 } });
      const trained = await estimator.getWeights();
      const before = bits(trained);
      const other = fresh();
      await other.setWeights(trained);
      expect(bits(await other.getWeights())).toBe(before);
      for (const { data } of trained) data.fill(0 as never);
      expect(bits(await other.getWeights())).toBe(before);
      expect(bits(await estimator.getWeights())).toBe(before);
      const sample = Float32Array.from({ length: WIDTH }, (_, i) => i / 4);
      expect(await other.predict(sample)).toEqual(await estimator.predict(sample));
    });

    it("starts from the weights that were set, with a new optimizer, so that the same training gives the same weights", async () => {
      const estimator = fresh();
      const samples = separable(60);
      const start = await estimator.getWeights();
      await estimator.train(samples, { plan });
      const first = bits(await estimator.getWeights());
      await estimator.setWeights(start);
      await estimator.train(samples, { plan });
      expect(bits(await estimator.getWeights())).toBe(first);
      await estimator.train(samples, { plan });
      expect(bits(await estimator.getWeights())).not.toBe(first);
    });

    it("reads samples of one version only once", async () => {
      const estimator = fresh();
      const samples = separable(40);
      await estimator.train(samples, { plan: { ...plan, epochs: 1 } });
      await estimator.train(samples, { plan: { ...plan, epochs: 1 } });
      await estimator.evaluate(samples);
      expect(samples.reads()).toBe(1);
      const changed = separable(40, { version: "another" });
      await estimator.train(changed, { plan: { ...plan, epochs: 1 } });
      expect(changed.reads()).toBe(1);
    });

    it("keeps the previous weights if it is aborted in the middle, and can train again", async () => {
      const estimator = fresh();
      const samples = separable(60);
      await estimator.train(samples, { plan: { ...plan, epochs: 1 } });
      const before = bits(await estimator.getWeights());
      const controller = new AbortController();
      let last = 0;
      const aborted = estimator.train(samples, {
        plan: { ...plan, epochs: 100_000 },
        signal: controller.signal,
        onProgress({ done }) {
          last = done;
          if (done === 3) controller.abort(new Error("enough"));
        },
      });
      await expect(aborted).rejects.toThrow("enough");
      expect(last).toBeLessThan(100_000);
      expect(bits(await estimator.getWeights())).toBe(before);
      await estimator.train(samples, { plan: { ...plan, epochs: 1 } });
      expect(bits(await estimator.getWeights())).not.toBe(before);
    });

    it("ends within an epoch if a timer aborts it, and does nothing if it is aborted before", async () => {
      const estimator = fresh();
      const samples = separable(60);
      const signal = AbortSignal.timeout(30);
      await expect(
        estimator.train(samples, { plan: { ...plan, epochs: 10_000_000 }, signal }),
      ).rejects.toMatchObject({ name: "TimeoutError" });
      const untouched = separable(60, { version: "untouched" });
      await expect(
        estimator.train(untouched, { plan, signal: AbortSignal.abort(new Error("left")) }),
      ).rejects.toThrow("left");
      expect(untouched.reads()).toBe(0);
    });

    it("does not wait for samples that never arrive if its caller aborts", async () => {
      const estimator = fresh();
      const controller = new AbortController();
      const hanging: LabeledSamples<Float32Array> = {
        version: "hangs",
        async *[Symbol.asyncIterator]() {
          yield { sample: new Float32Array(WIDTH), label: 0 };
          controller.abort(new Error("left"));
          await new Promise(() => {});
        },
      };
      await expect(estimator.train(hanging, { plan, signal: controller.signal })).rejects.toThrow("left");
      await estimator.train(separable(30), { plan: { ...plan, epochs: 1 } });
    });

    it("rejects labels, shapes, numbers, empty data and plans that do not fit, reports what it expected, and keeps its weights", async () => {
      const estimator = fresh();
      await estimator.train(separable(30), { plan: { ...plan, epochs: 1 } });
      const before = bits(await estimator.getWeights());
      const zeros = new Float32Array(WIDTH);
      for (const label of [CLASSES, -1, 0.5, Number.NaN])
        await expect(estimator.train(of({ sample: zeros, label }), { plan })).rejects.toThrow(
          /label of sample 0 to be an integer from 0 to 2/,
        );
      await expect(
        estimator.train(of({ sample: zeros, label: 0 }, { sample: new Float32Array(WIDTH - 1), label: 0 }), {
          plan,
        }),
      ).rejects.toThrow(TypeError);
      await expect(
        estimator.train(of({ sample: zeros.slice().fill(Number.NaN), label: 1 }), { plan }),
      ).rejects.toThrow(/expected the features of sample 0 to be finite; got NaN/);
      await expect(estimator.train(of<Float32Array>(), { plan })).rejects.toThrow(/at least one; got none/);
      await expect(estimator.evaluate(of<Float32Array>())).rejects.toThrow(RangeError);
      const good = separable(30);
      for (const [part, name] of [
        [{ epochs: 0 }, "epochs"],
        [{ batchSize: 1.5 }, "batchSize"],
        [{ l2: -1 }, "l2"],
        [{ proximal: Number.NaN }, "proximal"],
        [{ optimizer: { kind: "lion" } }, "optimizer"],
        [{ optimizer: { kind: "sgd", learningRate: 0 } }, "learning rate"],
      ] as const) {
        await expect(estimator.train(good, { plan: { ...plan, ...(part as object) } })).rejects.toThrow(
          new RegExp(name),
        );
      }
      const weights = await estimator.getWeights();
      await expect(estimator.setWeights(weights.slice(1))).rejects.toThrow(TypeError);
      await expect(
        estimator.setWeights([{ ...weights[0]!, shape: [1, 1] }, ...weights.slice(1)]),
      ).rejects.toThrow(TypeError);
      await expect(
        estimator.setWeights([
          { ...weights[0]!, data: new Float32Array(weights[0]!.data.length).fill(Number.NaN) },
          ...weights.slice(1),
        ]),
      ).rejects.toThrow(RangeError);
      expect(bits(await estimator.getWeights())).toBe(before);
    });

    it("passes on an error of the sample source unchanged, and closes its generator", async () => {
      const estimator = fresh();
      const left: string[] = [];
      const failing: LabeledSamples<Float32Array> = {
        version: "fails",
        async *[Symbol.asyncIterator]() {
          try {
            for (let i = 0; i < 50; i++) yield { sample: new Float32Array(WIDTH), label: 0 };
            throw new RangeError("the disk is gone");
          } finally {
            left.push("failing");
          }
        },
      };
      await expect(estimator.train(failing, { plan })).rejects.toThrow(new RangeError("the disk is gone"));
      const endless: LabeledSamples<Float32Array> = {
        version: "has a wrong label",
        async *[Symbol.asyncIterator]() {
          try {
            for (;;) yield { sample: new Float32Array(WIDTH), label: 7 };
          } finally {
            left.push("endless");
          }
        },
      };
      await expect(estimator.train(endless, { plan })).rejects.toThrow(RangeError);
      expect(left).toEqual(["failing", "endless"]);
    });

    it("fails if it diverges, and keeps its weights", async () => {
      const estimator = fresh();
      const before = bits(await estimator.getWeights());
      const far: LabeledSamples<Float32Array> = of(
        ...Array.from({ length: 8 }, (_, i) => ({
          sample: new Float32Array(WIDTH).fill(1e30 * (i % 2 ? 1 : -1)),
          label: i % CLASSES,
        })),
      );
      await expect(
        estimator.train(far, { plan: { ...plan, optimizer: { kind: "sgd", learningRate: 1e10 } } }),
      ).rejects.toMatchObject({ code: "training-failed" });
      expect(bits(await estimator.getWeights())).toBe(before);
    });

    it("runs trainings one after the other, and sets weights in their turn", async () => {
      const estimator = fresh();
      const samples = separable(60);
      const start = await estimator.getWeights();
      const [first, second, set] = await Promise.allSettled([
        estimator.train(samples, { plan }),
        estimator.train(samples, { plan }),
        estimator.setWeights(start),
      ]);
      expect([first.status, second.status, set.status]).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
      expect(bits(await estimator.getWeights())).toBe(bits(start));
      if (first.status === "fulfilled" && second.status === "fulfilled")
        expect(second.value.loss).toBeLessThan(first.value.loss);
    });

    it("waits while it is paused, and stops waiting if its caller aborts", async () => {
      const estimator = fresh();
      const samples = separable(30);
      const listeners = new Set<() => void>();
      const pauses = {
        paused: true,
        onChange: (listener: () => void) => (listeners.add(listener), () => void listeners.delete(listener)),
      };
      const told: number[] = [];
      const training = estimator.train(samples, {
        plan: { ...plan, epochs: 2 },
        pauses,
        onProgress: ({ phase, done }) => void (phase === "training" && told.push(done)),
      });
      await expect.poll(() => listeners.size, { timeout }).toBe(1);
      await estimator.getWeights();
      expect(told).toEqual([]);
      pauses.paused = false;
      for (const listener of listeners) listener();
      await training;
      expect(told).toEqual([1, 2]);
      expect(listeners.size).toBe(0);
      pauses.paused = true;
      const controller = new AbortController();
      const left = estimator.train(samples, { plan, pauses, signal: controller.signal });
      await expect.poll(() => listeners.size, { timeout }).toBe(1);
      controller.abort(new Error("left"));
      await expect(left).rejects.toThrow("left");
      await expect.poll(() => listeners.size, { timeout }).toBe(0);
    });

    it(
      proximal ? "stays near its initial weights with FedProx" : "rejects FedProx, which it does not support",
      async () => {
        const estimator = fresh();
        const samples = separable(60);
        const near = { ...plan, proximal: 10, optimizer: { kind: "sgd", learningRate: 0.05 } } as const;
        if (!proximal)
          return void (await expect(estimator.train(samples, { plan: near })).rejects.toThrow(/FedProx/));
        const start = await estimator.getWeights();
        const moved = async (): Promise<number> =>
          Math.hypot(
            ...(await estimator.getWeights()).flatMap(({ data }, i) =>
              Array.from(data as Float32Array, (value, j) => value - Number(start[i]!.data[j])),
            ),
          );
        await estimator.train(samples, { plan: near });
        const tied = await moved();
        await estimator.setWeights(start);
        await estimator.train(samples, { plan: { ...near, proximal: 0 } });
        expect(tied).toBeLessThan((await moved()) / 2);
      },
    );

    it("rejects calls after dispose, which may be called twice and during a training", async () => {
      const estimator = fresh();
      let begin!: () => void;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const training = estimator.train(separable(60), {
        plan: { ...plan, epochs: 10_000_000 },
        onProgress: ({ phase }) => void (phase === "training" && begin()),
      });
      const ended = training.then(
        () => undefined,
        (error: unknown) => error,
      );
      await begun;
      await Promise.all([estimator.dispose(), estimator.dispose()]);
      expect(await ended).toMatchObject({ code: "disposed" });
      for (const call of [
        () => estimator.train(separable(3)),
        () => estimator.evaluate(separable(3)),
        () => estimator.getWeights(),
        () => estimator.setWeights([]),
        () => estimator.predict(new Float32Array(WIDTH)),
        () => estimator.load(),
      ])
        await expect(call()).rejects.toMatchObject({ code: "disposed" });
    });
  });
}
