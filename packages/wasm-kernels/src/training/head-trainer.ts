/// <reference lib="esnext.disposable" preserve="true" />
import { exactLength, outOfRange, typedArray } from "../module/check.ts";
import { headLayers, parameterCount, type Head } from "./head.ts";
import { finiteFloats, type HeadTraining } from "./head-training.ts";
import { lifetime } from "../module/lifetime.ts";
import { seededRandom, shuffledIndices } from "../module/seeded-random.ts";

/**
 * Result of one pass over the samples. Each sample is evaluated with the weights before the step of its
 * batch.
 */
export interface HeadEpochResult {
  /** Mean cross-entropy in nats, weighted by class weight, without the penalties (`l2`, `proximal`). */
  readonly loss: number;
  /**
   * Share of samples whose most likely class is correct, 0..1. Among equally likely classes the first counts.
   */
  readonly accuracy: number;
  readonly samples: number;
}

/** Trains a head, one epoch per call, so that callers can show progress, pause, and stop between epochs. */
export interface HeadTrainer {
  /** Number of parameters. */
  readonly length: number;
  /** Returns a copy of the flat parameters. */
  weights(): Float32Array;
  /** Sets the parameters and the anchor of `proximal`, and resets the optimizer's moments. */
  setWeights(weights: Float32Array): void;
  /**
   * Performs one pass over the samples, in an order that depends on `seed` and the epoch number.
   *
   * @throws {Error} If training diverges. The trainer is restored to its state before the epoch.
   */
  epoch(): HeadEpochResult;
  /** Returns class probabilities `[n, classes]` of samples `[n, features]`. */
  predict(samples: Float32Array): Float32Array;
  /**
   * Returns the value for the `state` option with which another trainer resumes training with the same bits.
   */
  state(): Float32Array;
  /** Releases the memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Vectors with one element per parameter: the parameters, the optimizer's moments, and FedProx's w0. */
export type HeadVector = "weights" | "first" | "second" | "anchor";

/** Sums over an epoch. */
export interface HeadSums {
  /** Sum of class weight * cross-entropy. */
  readonly loss: number;
  /** Sum of class weights. */
  readonly weight: number;
  /** Number of samples whose most likely class is correct. */
  readonly correct: number;
}

/**
 * Backend part of a trainer: the samples, the parameters and their moments (initially zeros), and the
 * arithmetic.
 */
export interface HeadStore {
  /** Returns a copy in the flat layout. */
  read(vector: HeadVector): Float32Array;
  write(vector: HeadVector, values: Float32Array): void;
  /**
   * Trains on the samples in the given order. `steps` is the number of earlier steps, which Adam's bias
   * correction needs.
   */
  epoch(turn: { readonly order: Uint32Array; readonly steps: number }): HeadSums;
  predict(samples: Float32Array): Float32Array;
  dispose(): void;
}

/** Returns the vectors that the next epoch depends on. */
function keptVectors({ optimizer, proximal }: HeadTraining): readonly HeadVector[] {
  const moments: readonly HeadVector[] =
    optimizer.kind === "adam" ? ["first", "second"] : optimizer.momentum > 0 ? ["first"] : [];
  return ["weights", ...moments, ...(proximal > 0 ? (["anchor"] as const) : [])];
}

/**
 * Number of elements that store the counts of epochs and optimizer steps. Each count is stored as two digits
 * because f32 is exact only up to 2^24.
 */
const COUNTERS = 4;
const DIGIT = 2 ** 24;

/** Creates the trainer that all backends share. `assertOpen` throws if the kernels are disposed. */
export function createHeadTrainer(
  training: HeadTraining,
  {
    makeStore,
    assertOpen,
  }: { readonly makeStore: () => HeadStore; readonly assertOpen: (action: string) => void },
): HeadTrainer {
  const { head, labels, seed } = training;
  const length = parameterCount(head);
  const kept = keptVectors(training);
  const start = training.state && checkState(training.state, kept.length * length);
  const store = makeStore();
  let epochs = 0;
  let steps = 0;
  const { using: assertUsable, dispose } = lifetime({ what: "a head trainer" }, { store, assertOpen });
  const setAll = (weights: Float32Array) => {
    store.write("first", new Float32Array(length));
    for (const vector of kept)
      store.write(vector, vector === "weights" || vector === "anchor" ? weights : new Float32Array(length));
    steps = 0;
  };
  const restore = (vectors: Float32Array) => {
    // Also clear moments that are not kept: SGD without momentum multiplies them by 0, which does not remove
    // an infinity.
    store.write("first", new Float32Array(length));
    for (const [i, vector] of kept.entries())
      store.write(vector, vectors.subarray(i * length, (i + 1) * length));
  };
  const save = (): Float32Array => {
    const vectors = new Float32Array(kept.length * length + COUNTERS);
    for (const [i, vector] of kept.entries()) vectors.set(store.read(vector), i * length);
    vectors.set(
      [epochs % DIGIT, Math.floor(epochs / DIGIT), steps % DIGIT, Math.floor(steps / DIGIT)],
      kept.length * length,
    );
    return vectors;
  };

  if (start === undefined) {
    setAll(training.weights ?? firstWeights(head, seed));
  } else {
    restore(start);
    const [epochsLow, epochsHigh, stepsLow, stepsHigh] = start.subarray(-COUNTERS) as unknown as [
      number,
      number,
      number,
      number,
    ];
    epochs = epochsLow + DIGIT * epochsHigh;
    steps = stepsLow + DIGIT * stepsHigh;
  }

  return {
    length,
    weights() {
      assertUsable("weights");
      return store.read("weights");
    },
    setWeights(weights) {
      assertUsable("setWeights");
      setAll(finiteFloats({ action: "setWeights", name: "weights" }, { array: weights, length }));
    },
    epoch() {
      assertUsable("epoch");
      const before = save();
      // Stream 0 is used for the initial weights.
      const order = shuffledIndices(labels.length, seededRandom({ seed, stream: epochs + 1 }));
      const { loss, weight, correct } = store.epoch({ order, steps });
      const mean = loss / weight;
      if (!Number.isFinite(mean) || !kept.every((vector) => store.read(vector).every(Number.isFinite))) {
        restore(before);
        throw new Error(
          `epoch: expected a finite loss, finite weights and moments; got a loss of ${mean}: training diverged. Try a learning rate below ${training.optimizer.learningRate}, or smaller features`,
        );
      }
      epochs += 1;
      steps += Math.ceil(labels.length / training.batchSize);
      return { loss: mean, accuracy: correct / labels.length, samples: labels.length };
    },
    predict(samples) {
      assertUsable("predict");
      const subject = { action: "predict", name: "samples" };
      const rows = typedArray(subject, { kind: "Float32Array", value: samples });
      if (rows.length % head.features !== 0)
        outOfRange(subject, {
          expected: `to have a multiple of ${head.features} elements`,
          got: rows.length,
        });
      return store.predict(finiteFloats(subject, { array: rows, length: rows.length }));
    },
    state() {
      assertUsable("state");
      return save();
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function checkState(given: Float32Array, vectors: number): Float32Array {
  const subject = { action: "headTrainer", name: "state" };
  const state = typedArray(subject, { kind: "Float32Array", value: given });
  exactLength(subject, { array: state, length: vectors + COUNTERS });
  finiteFloats(subject, { array: state, length: state.length });
  for (let i = vectors; i < state.length; i++) {
    const count = state[i]!;
    if (!Number.isInteger(count) || count < 0 || count >= DIGIT)
      outOfRange(
        { ...subject, name: `state[${i}]` },
        { expected: "to be an integer in 0..16777215", got: count },
      );
  }
  return state;
}

/** Returns the initial weights; see `weights` of HeadTrainerOptions. */
function firstWeights(head: Head, seed: number): Float32Array {
  const weights = new Float32Array(parameterCount(head));
  if (head.kind === "softmax") return weights;
  const random = seededRandom({ seed, stream: 0 });
  for (const layer of headLayers(head)) {
    const most = Math.sqrt(6 / (layer.inputs + layer.outputs));
    for (let i = layer.weights; i < layer.biases; i++) weights[i] = (2 * random() - 1) * most;
  }
  return weights;
}
