/// <reference lib="esnext.disposable" preserve="true" />
import type { Tensor, Tensors, TensorSpec } from "../tensor.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainingReport, TrainOptions } from "../training/train-options.ts";

/** What an estimator takes: pictures, or tensors by name. */
export interface EstimatorMetadata {
  readonly kind: "image" | "tensors";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** What runs it, for people and metrics: "webgpu", "wasm", "cpu", ... */
  readonly backend: string;
  /** True where several samples are answered faster together. Default false. */
  readonly batches?: boolean;
}

/** An estimator that learns: what federated and incremental learning ask for. */
export type TrainableEstimator<Sample, Result> = Estimator<Sample, Result> &
  Required<Pick<Estimator<Sample, Result>, "train" | "evaluate" | "getWeights" | "setWeights">>;

/**
 * A model behind the calls that every paradigm needs. Only `predict` is asked of all; the optional parts
 * are for estimators that learn. Source: Sedna's user `Estimator` class and `BackendBase`.
 */
export interface Estimator<Sample, Result> {
  /** Reads the model and prepares it; calling it again does nothing. `predict` calls it when needed. */
  load(options?: { readonly signal?: AbortSignal }): Promise<EstimatorMetadata>;
  /** Answers one sample. Concurrent calls are answered in order; one that fails leaves the next unharmed. */
  predict(sample: Sample, options?: { readonly signal?: AbortSignal }): Promise<Result>;
  /** Answers several samples in one run, where the model can. Results in the order of the samples. */
  predictBatch?(samples: readonly Sample[], options?: { readonly signal?: AbortSignal }): Promise<Result[]>;
  /** Runs the model itself on its own inputs, past the task's pre- and postprocessing. */
  run?(feeds: Tensors, options?: { readonly signal?: AbortSignal }): Promise<Tensors>;
  /** Trains from the weights that it has. Aborted, it has those it had. */
  train?(samples: LabeledSamples<Sample>, options?: TrainOptions): Promise<TrainingReport>;
  /** Metrics such as `loss` and `accuracy`. */
  evaluate?(
    samples: LabeledSamples<Sample>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, number>>>;
  getWeights?(): Promise<readonly Tensor[]>;
  setWeights?(weights: readonly Tensor[]): Promise<void>;
  save?(): Promise<Uint8Array>;
  /** Gives back the memory of the model. Calls still waiting are rejected. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
