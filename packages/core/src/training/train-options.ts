import type { TrainingPauses } from "./training-pauses.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** Progress of a training. */
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
