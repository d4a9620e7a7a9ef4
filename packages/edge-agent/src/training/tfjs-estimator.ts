import { callListener } from "@sedna-js/core/async";
import {
  SednaError,
  type EstimatorMetadata,
  type LabeledSamples,
  type Tensor,
  type TrainableEstimator,
  type TrainingPlan,
  type TrainingProgress,
  type TrainingReport,
  type TrainOptions,
} from "@sedna-js/core";
import { elementCount } from "@sedna-js/core/tensor";
import { untilResumed } from "@sedna-js/core/training";
import { writeSafetensors } from "@sedna-js/core/wire";
import { seededRandom, shuffledIndices } from "@sedna-js/wasm-kernels";
import { nextTask } from "#platform/async";
import { checkPlan } from "./check-plan.ts";
import { featureExtractor } from "./feature-extractor.ts";
import { createLearnerLifecycle, type Leave } from "./learner-lifecycle.ts";
import { orderSeed } from "./order-seed.ts";
import { createSampleSets, type SampleSet } from "./sample-sets.ts";
import { scoreOf } from "./score.ts";
import type { Tf, TfLayersModel, TfTensor } from "./tfjs-port.ts";
import { disposeOptimizer, modelShape, readWeights, tfOptimizer, writeWeights } from "./tfjs-weights.ts";

/** Options of {@link tfjsEstimator}. */
export interface TfjsEstimatorOptions {
  /** TensorFlow.js with an initialized backend. */
  readonly tf: Tf;
  /** A classifier with one input and one softmax output. The caller disposes it. */
  readonly model: TfLayersModel;
  /** Plan of a `train` call without a plan. Default: 5 epochs of Adam at 0.001, 32 samples per step. */
  readonly plan?: TrainingPlan;
  /** Seed of the sample order. Default 0. */
  readonly seed?: number;
  /** Maximum memory for samples that are kept between trainings, in bytes. Default 256 MiB. */
  readonly maxSampleBytes?: number;
}

/** A sample of a network: the numbers of its input, as an array or as a float32 tensor. */
export type TfjsSample = Float32Array | Tensor;

const MIB = 2 ** 20;
const usual: TrainingPlan = { epochs: 5, batchSize: 32, optimizer: { kind: "adam", learningRate: 0.001 } };
/** Maximum number of samples per prediction. */
const ROWS = 256;

/** What `epochOf` takes. */
interface EpochOfOptions {
  readonly order: Uint32Array;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/**
 * Creates a trainable estimator from a whole small TensorFlow.js network, as an alternative to a head on
 * frozen features. The network is compiled again for each training, with the plan's optimizer and
 * cross-entropy. During a training, `predict` and `evaluate` wait, and `getWeights` returns the previous
 * weights.
 *
 * @throws {TypeError} If the model has another shape; from its calls, if samples or weights do not fit.
 * @throws {RangeError} From `train`, if the plan uses FedProx or l2, which TensorFlow.js does not support.
 * @throws {SednaError} `training-failed`, `disposed`.
 */
export function tfjsEstimator({
  tf,
  model,
  plan: given = usual,
  seed = 0,
  maxSampleBytes = 256 * MIB,
}: TfjsEstimatorOptions): TrainableEstimator<TfjsSample, Float32Array> & {
  save(): Promise<Uint8Array<ArrayBuffer>>;
} {
  const { inputShape, classes } = modelShape(model);
  const usualPlan = checkTfPlan(given);
  const width = elementCount(inputShape);
  const extractor = featureExtractor<TfjsSample>("samples", { width });
  const sets = createSampleSets({ extractor, width, classes, maxBytes: maxSampleBytes });
  const life = createLearnerLifecycle("a TensorFlow.js model");
  /** The previous weights while a training changes the model's weights. */
  let held: readonly Tensor[] | undefined;

  /** Calls `work` with a tensor of these rows and disposes the tensor afterwards. */
  const using = async <T>(rows: Float32Array, work: (x: TfTensor) => Promise<T>): Promise<T> => {
    const x = tf.tensor(rows, [rows.length / width, ...inputShape]);
    try {
      return await work(x);
    } finally {
      x.dispose();
    }
  };
  const probabilities = async (features: Float32Array): Promise<Float32Array> => {
    const all = new Float32Array((features.length / width) * classes);
    for (let row = 0; row * width < features.length; row += ROWS) {
      await using(features.slice(row * width, (row + ROWS) * width), async (x) => {
        const y = model.predict(x, { batchSize: ROWS }) as TfTensor;
        all.set(await y.data().finally(() => y.dispose()), row * classes);
      });
    }
    return all;
  };

  const epochOf = async ({ features, labels }: SampleSet, { order, batchSize, signal }: EpochOfOptions) => {
    let [loss, accuracy] = [0, 0];
    for (let from = 0; from < order.length; from += batchSize) {
      signal.throwIfAborted();
      const batch = order.subarray(from, from + batchSize);
      const rows = new Float32Array(batch.length * width);
      for (const [i, at] of batch.entries())
        rows.set(features.subarray(at * width, (at + 1) * width), i * width);
      const [batchLoss, batchAccuracy] = await using(rows, async (x) => {
        const y = tf.tensor(
          Float32Array.from(batch, (at) => labels[at]!),
          [batch.length, 1],
        );
        return (await model.trainOnBatch(x, y).finally(() => y.dispose())) as [number, number];
      });
      if (!Number.isFinite(batchLoss)) throw diverged(`a loss of ${batchLoss}`);
      loss += batchLoss * batch.length;
      accuracy += batchAccuracy * batch.length;
      await nextTask();
    }
    return { loss: loss / order.length, accuracy: accuracy / order.length };
  };

  const train = async (
    samples: LabeledSamples<TfjsSample>,
    { plan = usualPlan, onProgress, pauses }: TrainOptions,
    { signal, settle }: Leave,
  ): Promise<TrainingReport> => {
    checkTfPlan(plan);
    const tell = (progress: TrainingProgress): void =>
      void (signal.aborted || callListener(onProgress, progress));
    const set = await sets.get(samples, {
      signal,
      pauses,
      onRead: (done) => tell({ phase: "features", done, total: undefined }),
    });
    const before = await readWeights(model);
    const optimizer = tfOptimizer(tf, plan.optimizer);
    const draws = orderSeed({
      seed,
      weights: Float32Array.from(before.flatMap(({ data }) => [...(data as Float32Array)])),
    });
    let last = { loss: 0, accuracy: 0 };
    held = before;
    try {
      model.compile({ optimizer, loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
      for (let done = 1; done <= plan.epochs; done++) {
        await untilResumed(pauses, signal);
        last = await epochOf(set, {
          order: shuffledIndices(set.labels.length, seededRandom({ seed: draws, stream: done })),
          batchSize: plan.batchSize,
          signal,
        });
        tell({ phase: "training", done, total: plan.epochs, ...last });
      }
      const after = await readWeights(model);
      if (!after.every(({ data }) => (data as Float32Array).every(Number.isFinite)))
        throw diverged("weights that are not finite");
      signal.throwIfAborted();
      settle();
    } catch (error) {
      writeWeights(tf, { model, weights: before });
      throw error;
    } finally {
      held = undefined;
      disposeOptimizer(optimizer);
    }
    return { numSamples: set.labels.length, epochs: plan.epochs, ...last };
  };

  const getWeights = async (): Promise<readonly Tensor[]> => {
    life.assertLive();
    return held
      ? held.map((one) => ({ ...one, data: one.data.slice() as Float32Array }))
      : readWeights(model);
  };
  const dispose = (): Promise<void> => life.end(() => sets.close());
  return {
    load: ({ signal } = {}) =>
      life.during(signal, async () => metadataOf({ tf, model, inputShape, classes })),
    predict: (sample, { signal } = {}) =>
      life.inTurn(signal, async (leave) => probabilities((await extractor.extract([sample], leave))[0]!)),
    train: (samples, options = {}) => life.inTurn(options.signal, (leave) => train(samples, options, leave)),
    evaluate: (samples, { signal } = {}) =>
      life.inTurn(signal, async ({ signal }) => {
        const { features, labels } = await sets.get(samples, { signal });
        return { ...scoreOf(await probabilities(features), { labels, classes }), samples: labels.length };
      }),
    getWeights,
    setWeights: (weights) => life.inTurn(undefined, async () => writeWeights(tf, { model, weights })),
    async save() {
      const weights = await getWeights();
      return writeSafetensors({
        tensors: Object.fromEntries(weights.map((one, i) => [model.weights[i]!.name, one])),
      });
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

function checkTfPlan(plan: TrainingPlan): TrainingPlan {
  const { proximal = 0, l2 = 0 } = checkPlan(plan);
  if (proximal > 0)
    throw new RangeError(
      `train with TensorFlow.js: expected a plan without FedProx (proximal 0), which only heads support; got ${proximal}`,
    );
  if (l2 > 0)
    throw new RangeError(
      `train with TensorFlow.js: expected l2 0; got ${l2}. Give the layers a kernelRegularizer`,
    );
  return plan;
}

function diverged(got: string): SednaError {
  return new SednaError(
    `train with TensorFlow.js: expected a finite loss and finite weights; got ${got}: training diverged. Try a lower learning rate`,
    { code: "training-failed" },
  );
}

/** Options of {@link metadataOf}. */
interface MetadataOfOptions {
  readonly tf: Tf;
  readonly model: TfLayersModel;
  readonly inputShape: readonly number[];
  readonly classes: number;
}

function metadataOf({ tf, model, inputShape, classes }: MetadataOfOptions): EstimatorMetadata {
  return {
    kind: "tensors",
    inputs: [{ name: model.inputs[0]!.name, dtype: "float32", shape: [-1, ...inputShape] }],
    outputs: [{ name: model.outputs[0]!.name, dtype: "float32", shape: [-1, classes] }],
    backend: tf.getBackend(),
  };
}
