import { callListener } from "@sedna-js/core/async";
import type {
  EstimatorMetadata,
  LabeledSamples,
  Tensor,
  Tensors,
  TrainableEstimator,
  TrainingPlan,
  TrainingProgress,
  TrainingReport,
  TrainOptions,
} from "@sedna-js/core";
import { flatOf, headLayout, headToOnnx, tensorsOf } from "@sedna-js/core/heads";
import { writeSafetensors } from "@sedna-js/core/wire";
import type { Head } from "@sedna-js/wasm-kernels";
import { cachedExtractor } from "./cached-extractor.ts";
import { checkPlan } from "./check-plan.ts";
import type { FeatureCache } from "./feature-cache.ts";
import { featureExtractor, type FeatureSource } from "./feature-extractor.ts";
import { openHeadForward, type HeadForward, type TrainingBackend } from "./head-forward.ts";
import { createLearnerLifecycle, type Leave } from "./learner-lifecycle.ts";
import { createSampleSets } from "./sample-sets.ts";
import { scoreOf } from "./score.ts";
import { trainHead } from "./train-head.ts";
import { checkCheckpoint, openCheckpoint, type CheckpointOptions } from "./training-checkpoint.ts";

/** Options of {@link headEstimator}. */
export interface HeadEstimatorOptions<Sample> {
  readonly features: FeatureSource<Sample>;
  /** Head to train. Its `features` is the width of the feature model's output. */
  readonly head: Head;
  /** Names of the classes, for the ONNX file. */
  readonly labels?: readonly string[];
  /** Plan of a `train` call without a plan. Default: 5 epochs of Adam at 0.01, 32 samples per step. */
  readonly plan?: TrainingPlan;
  /** Weight of each class in the loss. Default 1 each. */
  readonly classWeights?: Float32Array;
  /** Seed of an MLP's first weights and, together with the start weights, of the sample order. Default 0. */
  readonly seed?: number;
  /**
   * Start weights by name, as returned by `readSafetensors`. Default: zeros, or an MLP's random first
   * weights.
   */
  readonly weights?: Tensors;
  /** Cache of features by the content of the samples, such as from `createFeatureCache()`. */
  readonly cache?: FeatureCache;
  /**
   * Maximum memory for features that are kept between trainings, in bytes. A training needs the same amount
   * again. Default 256 MiB.
   */
  readonly maxFeatureBytes?: number;
  /** Saves checkpoints, so that the same training resumes after a process crash when it is called again. */
  readonly checkpoint?: CheckpointOptions;
  /** Format of `save`. Default "safetensors". */
  readonly format?: "safetensors" | "onnx";
  /** Kernels to use. Default "auto": WebAssembly if the engine accepts it. */
  readonly backend?: TrainingBackend;
}

/** A trainable estimator that can be saved. */
export type HeadEstimator<Sample> = TrainableEstimator<Sample, Float32Array> & {
  save(): Promise<Uint8Array<ArrayBuffer>>;
};

const MIB = 2 ** 20;
const usual: TrainingPlan = { epochs: 5, batchSize: 32, optimizer: { kind: "adam", learningRate: 0.01 } };

/**
 * Creates a classifier that trains at the edge: a frozen model extracts features, and the training kernels
 * train a softmax or MLP head on them. Features are extracted once for each `version` of the samples.
 *
 * Each `train` starts from the current weights with a fresh optimizer; FedProx pulls toward these weights.
 * Calls of `train` and `setWeights` run one at a time. If a training is aborted or fails, the previous
 * weights stay in use, and its checkpoint is kept so that the same training can resume. Frames from labeled
 * samples are closed after they are read. Weights are the tensors of `headLayout(head)`, in its order.
 *
 * @throws {SednaError} From its calls: errors of the feature model, `training-failed`, `disposed`.
 * @throws {TypeError | RangeError} If samples, labels, weights, or plans do not fit the head.
 */
export function headEstimator<Sample = Float32Array>(
  options: HeadEstimatorOptions<Sample>,
): HeadEstimator<Sample> {
  const {
    head,
    labels,
    classWeights,
    seed = 0,
    maxFeatureBytes = 256 * MIB,
    format = "safetensors",
    backend = "auto",
  } = options;
  const layout = headLayout(head);
  if (options.checkpoint) checkCheckpoint(options.checkpoint);
  const usualPlan = checkPlan(options.plan ?? usual);
  if (labels && labels.length !== head.classes)
    throw new RangeError(`create a head: expected ${head.classes} labels; got ${labels.length}`);
  const extractor = featureExtractor(options.features, { width: head.features });
  const cached = options.cache
    ? cachedExtractor(extractor, { cache: options.cache, width: head.features })
    : extractor;
  const sets = createSampleSets({
    extractor: cached,
    width: head.features,
    classes: head.classes,
    maxBytes: maxFeatureBytes,
  });
  const life = createLearnerLifecycle("a head");
  let weights = options.weights && checkFinite(flatOf(head, options.weights));
  let opening: Promise<HeadForward> | undefined;

  const forward = async (): Promise<HeadForward> => {
    life.assertLive();
    opening ??= openHeadForward({ head, seed, backend }).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    const opened = await opening;
    life.assertLive();
    weights ??= opened.firstWeights;
    return opened;
  };

  const train = async (
    samples: LabeledSamples<Sample>,
    { plan = usualPlan, onProgress, pauses }: TrainOptions,
    { signal, settle }: Leave,
  ): Promise<TrainingReport> => {
    checkPlan(plan);
    await forward();
    const tell = (progress: TrainingProgress): void =>
      void (signal.aborted || callListener(onProgress, progress));
    const set = await sets.get(samples, {
      signal,
      pauses,
      onRead: (done) => tell({ phase: "features", done, total: undefined }),
    });
    const start = weights!;
    const checkpoint =
      options.checkpoint &&
      openCheckpoint(options.checkpoint, {
        head,
        plan,
        version: samples.version,
        labels: set.labels,
        weights: start,
        seed,
        classWeights,
      });
    const { weights: trained, last } = await trainHead({
      head,
      set,
      plan,
      weights: start,
      seed,
      classWeights,
      backend,
      checkpoint,
      signal,
      pauses,
      onEpoch: (done, { loss, accuracy }) =>
        tell({ phase: "training", done, total: plan.epochs, loss, accuracy }),
    });
    await checkpoint?.clear();
    signal.throwIfAborted();
    settle();
    weights = trained;
    return { numSamples: set.labels.length, epochs: plan.epochs, loss: last.loss, accuracy: last.accuracy };
  };

  const dispose = (): Promise<void> =>
    life.end(async () => {
      await sets.close();
      await extractor.dispose();
      (await opening?.catch(() => undefined))?.dispose();
      weights = undefined;
    });

  return {
    load: ({ signal } = {}) =>
      life.during(signal, async ({ signal }) => {
        const [{ backend: kernels }, metadata] = await Promise.all([forward(), extractor.load({ signal })]);
        return metadataOf(head, { kernels, metadata });
      }),
    predict: (sample, { signal } = {}) =>
      life.during(signal, async ({ signal }) => {
        const [row] = await extractor.extract([sample], { signal });
        const opened = await forward();
        return opened.predict(row!, weights!);
      }),
    train: (samples, given = {}) => life.inTurn(given.signal, (leave) => train(samples, given, leave)),
    evaluate: (samples, { signal } = {}) =>
      life.during(signal, async ({ signal }) => {
        const set = await sets.get(samples, { signal });
        const opened = await forward();
        return {
          ...scoreOf(opened.predict(set.features, weights!), { labels: set.labels, classes: head.classes }),
          samples: set.labels.length,
        };
      }),
    async getWeights() {
      await forward();
      return Object.values(tensorsOf(head, weights!));
    },
    setWeights: (given) =>
      life.inTurn(undefined, async () => {
        weights = checkFinite(flatWeights(given));
      }),
    async save() {
      await forward();
      if (format === "onnx") return headToOnnx({ head, weights: weights!, labels });
      return writeSafetensors({
        tensors: tensorsOf(head, weights!),
        metadata: { head: JSON.stringify(head), ...(labels && { labels: JSON.stringify(labels) }) },
      });
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };

  function flatWeights(given: readonly Tensor[]): Float32Array {
    if (!Array.isArray(given) || given.length !== layout.length)
      throw new TypeError(
        `set a head's weights: expected the tensors ${layout.map(({ name }) => name).join(", ")}; got ${Array.isArray(given) ? given.length : typeof given}`,
      );
    return flatOf(head, Object.fromEntries(layout.map(({ name }, i) => [name, given[i]!])));
  }
}

function checkFinite(flat: Float32Array): Float32Array {
  const at = flat.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new RangeError(`set a head's weights: expected finite numbers; got ${flat[at]}`);
  return flat;
}

function metadataOf(
  head: Head,
  { kernels, metadata }: { readonly kernels: string; readonly metadata: EstimatorMetadata | undefined },
): EstimatorMetadata {
  const outputs = [{ name: "probabilities", dtype: "float32", shape: [-1, head.classes] }] as const;
  if (metadata) return { kind: metadata.kind, inputs: metadata.inputs, outputs, backend: metadata.backend };
  return {
    kind: "tensors",
    inputs: [{ name: "features", dtype: "float32", shape: [-1, head.features] }],
    outputs,
    backend: kernels,
  };
}
