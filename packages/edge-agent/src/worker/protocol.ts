import type {
  EstimatorMetadata,
  PlainError,
  Tensor,
  Tensors,
  TrainingPlan,
  TrainingProgress,
  TrainingReport,
} from "@sedna-js/core";
import type { ExternalData } from "@sedna-js/core/estimator";
import type {
  GalleryId,
  GalleryMatch,
  GalleryOptions,
  GalleryPort,
  MatchOptions,
} from "@sedna-js/wasm-kernels";
import type { ExecutionProvider } from "#platform/onnx";

/** A reply that carries its error as data, because structured clone would lose the error's code. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlainError };

/** A sample that is posted to a Worker. */
export type PostedSample =
  | { readonly kind: "frame"; readonly handle: unknown }
  | { readonly kind: "plain"; readonly sample: unknown };

/** The calls that every Worker with an estimator or model handles. */
export interface RemotePredictor {
  predict(id: number, sample: PostedSample): Promise<Reply<unknown>>;
  run(id: number, feeds: Tensors): Promise<Reply<Tensors>>;
  cancel(id: number): void;
  dispose(): Promise<Reply<undefined>>;
}

/** A labeled sample that is posted to a Worker. */
export interface PostedLabeledSample {
  readonly posted: PostedSample;
  readonly label: number;
}

/**
 * The calls from a Worker to its owner during training or evaluation, over a port that exists for that call
 * only.
 */
export interface SampleOwner {
  /** Returns the next samples of the iteration with this number, or none at the end. */
  read(reading: number, count: number): Promise<Reply<readonly PostedLabeledSample[]>>;
  progress(progress: TrainingProgress): void;
}

/** The version of samples and the port to read them from. */
export interface PostedSamples {
  readonly version: string;
  /** A port that exposes a {@link SampleOwner}. */
  readonly port: unknown;
}

/** The calls that trainable estimators handle. */
export interface RemoteLearner {
  train(
    id: number,
    job: {
      readonly samples: PostedSamples;
      readonly plan: TrainingPlan | undefined;
      readonly paused: boolean;
    },
  ): Promise<Reply<TrainingReport>>;
  /** Pauses or resumes a training. */
  pause(id: number, paused: boolean): void;
  evaluate(id: number, samples: PostedSamples): Promise<Reply<Readonly<Record<string, number>>>>;
  getWeights(): Promise<Reply<readonly Tensor[]>>;
  setWeights(weights: readonly Tensor[]): Promise<Reply<undefined>>;
  save(): Promise<Reply<Uint8Array>>;
}

/** The calls that an exposed estimator handles. */
export interface RemoteEstimator extends RemotePredictor, RemoteLearner {
  load(): Promise<Reply<EstimatorMetadata>>;
}

/** A model for a Worker to open. */
export interface ModelToOpen {
  readonly model: Uint8Array;
  readonly externalData: readonly ExternalData[];
  /** Name of the task in the host's table of tasks, and the options of the task. */
  readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  readonly executionProvider: ExecutionProvider;
  /** CPU threads, in Node. Default 1. */
  readonly threads?: number | undefined;
}

/**
 * The reason why a GPU device was lost.
 *
 * Source: `GPUDeviceLostInfo` of WebGPU.
 */
export interface DeviceLoss {
  readonly reason: string;
  readonly message: string;
}

/** The calls that a model host in a Worker handles. */
export interface RemoteModelHost extends RemotePredictor {
  /** Must be called first: holds a lock by this name until the Worker ends. */
  live(name: string): Promise<Reply<void>>;
  /** Must be called once. */
  open(model: ModelToOpen): Promise<Reply<EstimatorMetadata>>;
  /** Resolves when the model's GPU device is lost, which may be never. Must be called after `open`. */
  lost(): Promise<Reply<DeviceLoss>>;
}

/** The calls that an exposed gallery handles, in order. */
export interface RemoteGallery {
  /** Must be called first. Later calls return the properties of the same gallery. */
  open(options: GalleryOptions): Promise<Reply<Pick<GalleryPort, "dimensions" | "precision" | "size">>>;
  set(rows: { readonly ids: readonly GalleryId[]; readonly vectors: Float32Array }): Promise<Reply<void>>;
  delete(id: GalleryId): Promise<Reply<boolean>>;
  match(options: MatchOptions): Promise<Reply<GalleryMatch[][]>>;
  dispose(): Promise<Reply<undefined>>;
}
