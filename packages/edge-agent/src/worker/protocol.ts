import type { EstimatorMetadata, ExternalData, PlainError, Tensors } from "@sedna-js/core";
import type { GalleryId, GalleryMatch, GalleryOptions, GalleryPort, MatchOptions } from "@sedna-js/wasm-kernels";
import type { ExecutionProvider } from "#platform";

/** A reply that carries its error as data: structured clone would lose the code. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PlainError };

/** A sample on its way into a Worker. */
export type PostedSample = { readonly kind: "frame"; readonly handle: unknown } | { readonly kind: "plain"; readonly sample: unknown };

/** The calls that are alike for everything in a Worker that answers samples. */
export interface RemotePredictor {
  predict(id: number, sample: PostedSample): Promise<Reply<unknown>>;
  run(id: number, feeds: Tensors): Promise<Reply<Tensors>>;
  cancel(id: number): void;
  dispose(): Promise<Reply<undefined>>;
}

/** The calls that an exposed estimator answers. */
export interface RemoteEstimator extends RemotePredictor {
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
