import type { TrainingPauses } from "./training-pauses.ts";
import type { TrainingPlan } from "./training-plan.ts";

/** Progress of a training. */
export interface TrainingProgress {
  readonly phase: "features" | "training";
  /** Number of samples whose features are computed, or of epochs that are complete. */
  readonly done: number;
  readonly total: number | undefined;
  /** Mean loss over the last epoch. */
  readonly loss?: number;
  readonly accuracy?: number;
}

/** Options of an estimator's `train`. */
export interface TrainOptions {
  readonly plan?: TrainingPlan;
  /** Stops the training between two batches of work and discards its result. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** While it is paused, the training waits between two batches of features or two epochs. */
  readonly pauses?: TrainingPauses;
}

/** Result of a training. */
export interface TrainingReport {
  readonly numSamples: number;
  readonly epochs: number;
  /** Mean loss over the last epoch. */
  readonly loss: number;
  readonly accuracy: number;
}
