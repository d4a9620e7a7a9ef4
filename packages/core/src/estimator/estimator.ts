/// <reference lib="esnext.disposable" preserve="true" />
import type { Tensor, Tensors, TensorSpec } from "../tensor.ts";
import type { TrainingPlan } from "../wire/federation.ts";
import type { TrainingPauses } from "../training/training-pauses.ts";

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

/** A sample and its class. */
export interface LabelledSample<Sample> {
  readonly sample: Sample;
  /** From 0 up. */
  readonly label: number;
}

/** Labelled samples that can be read again and again. Frames among them are made anew each time, and their reader's to close. */
export interface LabelledSamples<Sample> extends AsyncIterable<LabelledSample<Sample>> {
  /** Another one as soon as a sample is: by it an estimator keeps what it made of them, such as features. */
  readonly version: string;
  /** How many there are, where that is known without reading them all. */
  readonly count?: number;
}

/** How far a training is. */
export interface TrainingProgress {
  readonly phase: "features" | "training";
  /** Samples whose features are there, or epochs that are done. */
  readonly done: number;
  readonly total: number | undefined;
  /** Of the last epoch. */
  readonly loss?: number;
  readonly accuracy?: number;
}

/** Options of an estimator's `train`. */
export interface TrainOptions {
  readonly plan?: TrainingPlan;
  /** Stops between two batches of work; what is trained so far is not taken. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Training waits, between two batches of features or two epochs, while this says so. */
  readonly pauses?: TrainingPauses;
}

/** What a training came to. */
export interface TrainingReport {
  readonly numSamples: number;
  readonly epochs: number;
  /** Means over the last epoch. */
  readonly loss: number;
  readonly accuracy: number;
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
  train?(samples: LabelledSamples<Sample>, options?: TrainOptions): Promise<TrainingReport>;
  /** Metrics such as `loss` and `accuracy`. */
  evaluate?(
    samples: LabelledSamples<Sample>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Readonly<Record<string, number>>>;
  getWeights?(): Promise<readonly Tensor[]>;
  setWeights?(weights: readonly Tensor[]): Promise<void>;
  save?(): Promise<Uint8Array>;
  /** Gives back the memory of the model. Calls still waiting are rejected. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
