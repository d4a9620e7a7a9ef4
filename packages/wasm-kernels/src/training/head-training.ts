import {
  exactLength,
  finiteNumber,
  integer,
  oneOf,
  outOfRange,
  typedArray,
  wrongType,
} from "../module/check.ts";
import { checkHead, parameterCount, type Head } from "./head.ts";

/**
 * Optimizer of a head. SGD follows PyTorch: `v = momentum * v + g; w -= learningRate * v`. Adam uses
 * bias-corrected moments.
 */
export type HeadOptimizer =
  | { readonly kind: "sgd"; readonly learningRate: number; /** Default 0. */ readonly momentum?: number }
  | {
      readonly kind: "adam";
      readonly learningRate: number;
      /** Default 0.9. */
      readonly beta1?: number;
      /** Default 0.999. */
      readonly beta2?: number;
      /** Default 1e-8. */
      readonly epsilon?: number;
    };

/** Model, data, and hyperparameters for `headTrainer`. */
export interface HeadTrainerOptions {
  readonly head: Head;
  /** Samples `[n, features]`, finite. Copied. */
  readonly samples: Float32Array;
  /** Class of each sample. Copied. */
  readonly labels: Uint32Array;
  /** Default: Adam with a learning rate of 0.01. */
  readonly optimizer?: HeadOptimizer;
  /** Samples per step. The last batch of an epoch may be smaller. Default 32. */
  readonly batchSize?: number;
  /** Adds `0.5 * l2 * |w|^2` of the weights, without the biases, to the loss. Default 0. */
  readonly l2?: number;
  /**
   * Weight of each class in the loss. The loss of a batch is `sum(weight * error) / sum(weight)`. Default: 1
   * for each class.
   */
  readonly classWeights?: Float32Array;
  /**
   * FedProx's mu: adds `0.5 * mu * |w - w0|^2` of all parameters to the loss, where w0 are the initial
   * parameters or the parameters of the last `setWeights`. Default 0. Source: Li et al., "Federated
   * Optimization in Heterogeneous Networks", 2020.
   */
  readonly proximal?: number;
  /** Seed of the initial weights and of the sample order. Default 0. */
  readonly seed?: number;
  /**
   * Flat initial parameters: the weights `[outputs, inputs]` of each layer, then its biases. Default: zeros
   * for a softmax; for an MLP, Glorot's uniform weights in -a..a with `a = sqrt(6 / (inputs + outputs))`, and
   * zero biases.
   */
  readonly weights?: Float32Array;
  /**
   * State of another trainer, from its `state()`, to resume from. Replaces `weights`. The other options must
   * be the same as those of that trainer.
   */
  readonly state?: Float32Array;
}

/** Optimizer with defaults applied. */
export type CheckedOptimizer =
  | Required<Extract<HeadOptimizer, { kind: "sgd" }>>
  | Required<Extract<HeadOptimizer, { kind: "adam" }>>;

/** Validated options with defaults applied. */
export interface HeadTraining {
  readonly head: Head;
  readonly samples: Float32Array;
  readonly labels: Uint32Array;
  readonly optimizer: CheckedOptimizer;
  readonly batchSize: number;
  readonly l2: number;
  readonly classWeights: Float32Array;
  readonly proximal: number;
  readonly seed: number;
  readonly weights: Float32Array | undefined;
  readonly state: Float32Array | undefined;
}

const action = "headTrainer";

/**
 * Validates the options of `headTrainer`.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkHeadTraining(options: HeadTrainerOptions): HeadTraining {
  const head = checkHead(action, options.head);
  const labels = typedArray({ action, name: "labels" }, { kind: "Uint32Array", value: options.labels });
  if (labels.length === 0)
    outOfRange({ action, name: "labels" }, { expected: "to have at least 1 element", got: 0 });
  const samples = finiteFloats(
    { action, name: "samples" },
    { array: options.samples, length: labels.length * head.features },
  );
  const stray = labels.findIndex((label) => label >= head.classes);
  if (stray >= 0)
    outOfRange(
      { action, name: `labels[${stray}]` },
      { expected: `to be below ${head.classes} (classes)`, got: labels[stray] },
    );
  const { weights, state } = options;
  if (weights !== undefined && state !== undefined)
    wrongType({ action, name: "weights" }, { expected: "to be undefined if state is given", got: weights });
  return {
    head,
    samples,
    labels,
    optimizer: checkOptimizer(options.optimizer ?? { kind: "adam", learningRate: 0.01 }),
    batchSize: integer({ action, name: "batchSize" }, { value: options.batchSize ?? 32, least: 1 }),
    l2: atLeast("l2", { value: options.l2 ?? 0, least: 0 }),
    classWeights: checkClassWeights(options.classWeights ?? new Float32Array(head.classes).fill(1), {
      classes: head.classes,
      labels,
    }),
    proximal: atLeast("proximal", { value: options.proximal ?? 0, least: 0 }),
    seed: integer({ action, name: "seed" }, { value: options.seed ?? 0, least: 0, most: 0xffffffff }),
    weights:
      weights && finiteFloats({ action, name: "weights" }, { array: weights, length: parameterCount(head) }),
    state,
  };
}

function checkClassWeights(
  given: Float32Array,
  { classes, labels }: { readonly classes: number; readonly labels: Uint32Array },
): Float32Array {
  const weights = finiteFloats({ action, name: "classWeights" }, { array: given, length: classes });
  const negative = weights.findIndex((weight) => weight < 0);
  if (negative >= 0)
    outOfRange(
      { action, name: `classWeights[${negative}]` },
      { expected: "to be at least 0", got: weights[negative] },
    );
  if (labels.every((label) => weights[label] === 0))
    outOfRange(
      { action, name: "classWeights" },
      { expected: "to be above 0 for a class that has samples", got: 0 },
    );
  return weights;
}

/** Returns the value as a Float32Array of the given length with finite elements. */
export function finiteFloats(
  subject: { readonly action: string; readonly name: string },
  check: { readonly array: unknown; readonly length: number },
): Float32Array {
  const array = typedArray(subject, { kind: "Float32Array", value: check.array });
  exactLength(subject, { array, length: check.length });
  for (let i = 0; i < array.length; i++) {
    if (!Number.isFinite(array[i]))
      outOfRange({ ...subject, name: `${subject.name}[${i}]` }, { expected: "to be finite", got: array[i] });
  }
  return array;
}

function checkOptimizer(given: HeadOptimizer): CheckedOptimizer {
  if (typeof given !== "object" || given === null)
    wrongType({ action, name: "optimizer" }, { expected: "to be an object", got: given });
  const kind = oneOf({ action, name: "optimizer.kind" }, { value: given.kind, choices: ["sgd", "adam"] });
  const learningRate = atLeast("optimizer.learningRate", {
    value: given.learningRate,
    least: Number.MIN_VALUE,
  });
  if (Math.fround(learningRate) === 0)
    throw new RangeError(
      `headTrainer: expected optimizer.learningRate to be more than 0 as an f32; got ${learningRate}`,
    );
  if (kind === "sgd")
    return {
      kind,
      learningRate,
      momentum: share("momentum", (given as { momentum?: number }).momentum ?? 0),
    };
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = given as HeadOptimizer & { kind: "adam" };
  // The minimum is far below any useful epsilon and far above the values that f32 rounds to 0, which would
  // lead to 0 / 0.
  return {
    kind,
    learningRate,
    beta1: share("beta1", beta1),
    beta2: share("beta2", beta2),
    epsilon: atLeast("optimizer.epsilon", { value: epsilon, least: 1e-20 }),
  };
}

function atLeast(
  name: string,
  { value, least }: { readonly value: unknown; readonly least: number },
): number {
  const number = finiteNumber({ action, name }, value);
  if (number < least)
    outOfRange(
      { action, name },
      { expected: least === Number.MIN_VALUE ? "to be positive" : `to be at least ${least}`, got: number },
    );
  return number;
}

function share(name: string, value: unknown): number {
  const number = finiteNumber({ action, name: `optimizer.${name}` }, value);
  if (number < 0 || number >= 1)
    outOfRange({ action, name: `optimizer.${name}` }, { expected: "to be in 0..1, 1 excluded", got: number });
  return number;
}
