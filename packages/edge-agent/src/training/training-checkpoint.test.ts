import { SednaError, type TrainingPlan } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { separable } from "../../../../testing/suites/trainable-estimator-suite.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import { headEstimator, type HeadEstimatorOptions } from "./head-estimator.ts";

const plan: TrainingPlan = {
  epochs: 30,
  batchSize: 16,
  optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.9 },
};
const open = (store: ByteStore, options: Partial<HeadEstimatorOptions<Float32Array>> = {}) =>
  headEstimator({
    features: "samples",
    head: { kind: "mlp", features: 8, hidden: 4, classes: 3 },
    checkpoint: { store, key: "t", everyEpochs: 4 },
    ...options,
  });

/** Trains until an epoch, then aborts. */
async function leftAt(epoch: number, store: ByteStore): Promise<void> {
  const controller = new AbortController();
  await using estimator = open(store);
  await expect(
    estimator.train(separable(40), {
      plan,
      signal: controller.signal,
      onProgress: ({ phase, done }) =>
        void (phase === "training" && done === epoch && controller.abort(new Error("left"))),
    }),
  ).rejects.toThrow("left");
}

/** Returns the first epoch that is reported. */
async function firstOf(
  store: ByteStore,
  {
    options = {},
    plan: given = plan,
    version = "separable-40-1",
    setUp,
  }: {
    options?: Partial<HeadEstimatorOptions<Float32Array>>;
    plan?: TrainingPlan;
    version?: string;
    setUp?: (estimator: ReturnType<typeof open>) => Promise<void>;
  } = {},
): Promise<number> {
  await using estimator = open(store, options);
  await setUp?.(estimator);
  const told: number[] = [];
  await estimator.train(separable(40, { version }), {
    plan: given,
    onProgress: ({ phase, done }) => void (phase === "training" && told.push(done)),
  });
  return told[0]!;
}

async function copied(store: ByteStore): Promise<ByteStore> {
  const copy = memoryBytes();
  for (const key of await store.keys()) await copy.set(key, (await store.get(key))!);
  return copy;
}

describe("training checkpoint", { timeout: 30_000 }, () => {
  it("resumes only the same training: head, plan, samples, first weights, seed, and class weights", async () => {
    const store = memoryBytes();
    await leftAt(11, store);
    expect(await firstOf(await copied(store))).toBe(8);
    expect(await firstOf(await copied(store), { plan: { ...plan, epochs: 31 } })).toBe(1);
    expect(
      await firstOf(await copied(store), {
        plan: { ...plan, optimizer: { kind: "sgd", learningRate: 0.1, momentum: 0.8 } },
      }),
    ).toBe(1);
    expect(await firstOf(await copied(store), { plan: { ...plan, proximal: 0.1 } })).toBe(1);
    expect(await firstOf(await copied(store), { version: "another" })).toBe(1);
    expect(await firstOf(await copied(store), { options: { seed: 1 } })).toBe(1);
    expect(await firstOf(await copied(store), { options: { classWeights: Float32Array.of(1, 2, 1) } })).toBe(
      1,
    );
    expect(
      await firstOf(await copied(store), {
        setUp: async (estimator) =>
          estimator.setWeights(
            (await estimator.getWeights()).map((one) => ({
              ...one,
              data: Float32Array.from(one.data as Float32Array, (value) => value + 1),
            })),
          ),
      }),
    ).toBe(1);
    // The order of the plan's properties does not matter.
    expect(
      await firstOf(await copied(store), {
        plan: {
          optimizer: { momentum: 0.9, learningRate: 0.1, kind: "sgd" },
          batchSize: 16,
          epochs: 30,
          l2: 0,
        },
      }),
    ).toBe(8);
  });

  it("is deleted when the training is complete", async () => {
    const store = memoryBytes();
    await leftAt(9, store);
    expect(await store.keys()).toEqual(["t"]);
    await firstOf(store);
    expect(await store.keys()).toEqual([]);
  });

  it("does not stop the training if its store fails, and reports the error", async () => {
    const told: unknown[] = [];
    const broken: ByteStore = {
      get: async () => undefined,
      keys: async () => [],
      delete: async () => {},
      set: async () => Promise.reject(new SednaError("no room", { code: "storage-full" })),
    };
    await using estimator = open(broken, {
      checkpoint: {
        store: broken,
        key: "t",
        everyEpochs: 10,
        onError: (error) => told.push((error as SednaError).code),
      },
    });
    expect(await estimator.train(separable(40), { plan })).toMatchObject({ epochs: 30 });
    expect(told).toEqual(["storage-full", "storage-full"]);
  });

  it("rejects an invalid key and interval", () => {
    expect(() => open(memoryBytes(), { checkpoint: { store: memoryBytes(), key: "../x" } })).toThrow(
      RangeError,
    );
    expect(() =>
      open(memoryBytes(), { checkpoint: { store: memoryBytes(), key: "t", everyEpochs: 0 } }),
    ).toThrow("expected everyEpochs as an integer of at least 1; got 0");
  });
});
