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

/** A reply that carries its error as data: structured clone would lose the code. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: PlainError };

/** A sample on its way into a Worker. */
export type PostedSample =
  | { readonly kind: "frame"; readonly handle: unknown }
  | { readonly kind: "plain"; readonly sample: unknown };

/** The calls that are alike for everything in a Worker that answers samples. */
export interface RemotePredictor {
  predict(id: number, sample: PostedSample): Promise<Reply<unknown>>;
  run(id: number, feeds: Tensors): Promise<Reply<Tensors>>;
  cancel(id: number): void;
  dispose(): Promise<Reply<undefined>>;
}

/** A labelled sample on its way into a Worker. */
export interface PostedLabeledSample {
  readonly posted: PostedSample;
  readonly label: number;
}

/** What a Worker asks of its owner while it trains or evaluates, over a port of that call's own. */
export interface SampleOwner {
  /** The next samples of the reading of this number; none: that was all. */
  read(reading: number, count: number): Promise<Reply<readonly PostedLabeledSample[]>>;
  progress(progress: TrainingProgress): void;
}

/** Where samples come from, and by which name they are known. */
export interface PostedSamples {
  readonly version: string;
  /** A port that exposes a {@link SampleOwner}. */
  readonly port: unknown;
}

/** The calls that are for estimators which learn. */
export interface RemoteLearner {
  train(
    id: number,
    job: {
      readonly samples: PostedSamples;
      readonly plan: TrainingPlan | undefined;
      readonly paused: boolean;
    },
  ): Promise<Reply<TrainingReport>>;
  /** Makes a training wait, or go on. */
  pause(id: number, paused: boolean): void;
  evaluate(id: number, samples: PostedSamples): Promise<Reply<Readonly<Record<string, number>>>>;
  getWeights(): Promise<Reply<readonly Tensor[]>>;
  setWeights(weights: readonly Tensor[]): Promise<Reply<undefined>>;
  save(): Promise<Reply<Uint8Array>>;
}

/** The calls that an exposed estimator answers. */
export interface RemoteEstimator extends RemotePredictor, RemoteLearner {
  load(): Promise<Reply<EstimatorMetadata>>;
}

/** A model for a Worker to open. */
export interface ModelToOpen {
  readonly model: Uint8Array;
  readonly externalData: readonly ExternalData[];
  /** A name of the host's table of tasks, and what the task takes. */
  readonly task: { readonly name: string; readonly options?: Readonly<Record<string, unknown>> };
  readonly executionProvider: ExecutionProvider;
  /** CPU threads, in Node. Default 1. */
  readonly threads?: number | undefined;
}

/** Why a GPU device is gone. Source: `GPUDeviceLostInfo` of WebGPU. */
export interface DeviceLoss {
  readonly reason: string;
  readonly message: string;
}

/** The calls that a Worker answers which opens the model that it is told to. */
export interface RemoteModelHost extends RemotePredictor {
  /** Comes first: a name to hold for as long as the Worker lives. */
  live(name: string): Promise<Reply<void>>;
  /** Comes once. */
  open(model: ModelToOpen): Promise<Reply<EstimatorMetadata>>;
  /** Answers when the model's GPU device is lost, which may be never. Asked after `open`. */
  lost(): Promise<Reply<DeviceLoss>>;
}

/** The calls that an exposed gallery answers, in their order. */
export interface RemoteGallery {
  /** Comes first; a second time it tells of the same gallery. */
  open(options: GalleryOptions): Promise<Reply<Pick<GalleryPort, "dimensions" | "precision" | "size">>>;
  set(rows: { readonly ids: readonly GalleryId[]; readonly vectors: Float32Array }): Promise<Reply<void>>;
  delete(id: GalleryId): Promise<Reply<boolean>>;
  match(options: MatchOptions): Promise<Reply<GalleryMatch[][]>>;
  dispose(): Promise<Reply<undefined>>;
}
