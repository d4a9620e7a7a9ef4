import { SednaError, type TrainingPauses, type TrainingPlan } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { untilResumed } from "@sedna-js/core/training";
import {
  loadTrainingKernels,
  type Head,
  type HeadEpochResult,
  type HeadTrainer,
  type HeadTrainerOptions,
} from "@sedna-js/wasm-kernels";
import { nextTask } from "#platform/async";
import type { TrainingBackend } from "./head-forward.ts";
import { orderSeed } from "./order-seed.ts";
import type { SampleSet } from "./sample-sets.ts";
import type { TrainingCheckpoint } from "./training-checkpoint.ts";

/** Options of {@link trainHead}. */
export interface TrainHeadOptions {
  readonly head: Head;
  readonly set: SampleSet;
  readonly plan: TrainingPlan;
  /** Start weights, toward which FedProx pulls. */
  readonly weights: Float32Array;
  readonly seed: number;
  readonly classWeights?: Float32Array | undefined;
  readonly backend: TrainingBackend;
  readonly checkpoint?: TrainingCheckpoint | undefined;
  readonly signal: AbortSignal;
  readonly pauses?: TrainingPauses | undefined;
  /** Called after each epoch, and once at the start if the training resumes from a checkpoint. */
  onEpoch(done: number, last: HeadEpochResult): void;
}

/** Returns the options of the kernels' trainer for a plan. */
export function trainerOptions({
  batchSize,
  optimizer,
  proximal,
  l2,
}: TrainingPlan): Pick<HeadTrainerOptions, "batchSize" | "optimizer" | "proximal" | "l2"> {
  return {
    batchSize,
    optimizer,
    ...(proximal === undefined ? {} : { proximal }),
    ...(l2 === undefined ? {} : { l2 }),
  };
}

/**
 * Trains the epochs of a plan. Uses its own kernels, because the memory of a WebAssembly module never
 * shrinks, and its own optimizer, because each round of a federation starts with fresh moments. Between
 * epochs it checks for an abort, waits while training is paused, and yields to other tasks.
 *
 * @throws {SednaError} `training-failed` if the training diverges.
 * @throws {TypeError | RangeError} If the kernels reject the settings.
 */
export async function trainHead(
  job: TrainHeadOptions,
): Promise<{ readonly weights: Float32Array; readonly last: HeadEpochResult }> {
  const { head, set, plan, classWeights, checkpoint, signal, pauses, onEpoch } = job;
  const former = await checkpoint?.read();
  signal.throwIfAborted();
  const kernels = await loadTrainingKernels({ backend: job.backend });
  try {
    signal.throwIfAborted();
    const start = former ? { state: former.state } : { weights: job.weights };
    const trainer = kernels.headTrainer({
      head,
      samples: set.features,
      labels: set.labels,
      seed: orderSeed(job),
      ...trainerOptions(plan),
      classWeights,
      ...start,
    });
    let done = former?.done ?? 0;
    let last = former?.last;
    if (last) onEpoch(done, last);
    while (done < plan.epochs) {
      await nextTask();
      await untilResumed(pauses, signal);
      last = oneEpoch(trainer);
      done++;
      onEpoch(done, last);
      signal.throwIfAborted();
      if (done < plan.epochs) await checkpoint?.write({ done, last, state: () => trainer.state() });
    }
    return { weights: trainer.weights(), last: last! };
  } finally {
    kernels.dispose();
  }
}

function oneEpoch(trainer: HeadTrainer): HeadEpochResult {
  try {
    return trainer.epoch();
  } catch (cause) {
    throw new SednaError(`train a head: ${messageOf(cause)}`, {
      code: "training-failed",
      cause,
    });
  }
}
