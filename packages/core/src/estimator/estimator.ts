/// <reference lib="esnext.disposable" preserve="true" />
import type { Tensor, Tensors, TensorSpec } from "../tensor.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainingReport, TrainOptions } from "../training/train-options.ts";

/** Kind of samples of an estimator (images, or tensors by name), and the model's inputs and outputs. */
export interface EstimatorMetadata {
  readonly kind: "image" | "tensors";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Execution provider or backend, for display and metrics: "webgpu", "wasm", "cpu", ... */
  readonly backend: string;
  /** True if a batch of several samples runs faster than the samples alone. Default false. */
  readonly batches?: boolean;
}

/** An estimator that learns, as federated and incremental learning need it. */
export type TrainableEstimator<Sample, Result> = Estimator<Sample, Result> &
  Required<Pick<Estimator<Sample, Result>, "train" | "evaluate" | "getWeights" | "setWeights">>;

/**
 * A model with the calls that every paradigm needs. Only `predict` and its lifecycle are required; the
 * optional methods are for estimators that learn. Source: Sedna's user `Estimator` class and `BackendBase`.
 */
export interface Estimator<Sample, Result> {
  /** Reads and prepares the model. Further calls have no effect. `predict` calls it if needed. */
  load(options?: { readonly signal?: AbortSignal }): Promise<EstimatorMetadata>;
  /**
   * Returns the result for one sample. Concurrent calls run in order; a failed call does not affect the next
   * one.
   */
  predict(sample: Sample, options?: { readonly signal?: AbortSignal }): Promise<Result>;
  /** Returns the results for several samples, in their order. Uses one run if the model supports it. */
  predictBatch?(samples: readonly Sample[], options?: { readonly signal?: AbortSignal }): Promise<Result[]>;
  /** Runs the model on its own inputs, without the task's pre- and postprocessing. */
  run?(feeds: Tensors, options?: { readonly signal?: AbortSignal }): Promise<Tensors>;
  /** Trains from the current weights. If aborted, it keeps the current weights. */
  train?(samples: LabeledSamples<Sample>, options?: TrainOptions): Promise<TrainingReport>;
  /** Returns metrics such as `loss` and `accuracy`. */
  evaluate?(
    samples: LabeledSamples<Sample>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, number>>>;
  getWeights?(): Promise<readonly Tensor[]>;
  setWeights?(weights: readonly Tensor[]): Promise<void>;
  save?(): Promise<Uint8Array>;
  /** Releases the model's memory. Pending calls are rejected. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
