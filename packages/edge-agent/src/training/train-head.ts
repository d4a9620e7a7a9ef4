import { SednaError, type TrainingPauses, type TrainingPlan } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { untilResumed } from "@sedna-js/core/training";
import {
  loadTrainingKernels,
  type Head,
  type HeadEpoch,
  type HeadTrainer,
  type HeadTrainerOptions,
} from "@sedna-js/wasm-kernels";
import { nextTask } from "#platform/async";
import type { TrainingBackend } from "./head-forward.ts";
import { orderSeed } from "./order-seed.ts";
import type { SampleSet } from "./sample-sets.ts";
import type { OpenCheckpoint } from "./training-checkpoint.ts";

/** A training of a head. */
export interface HeadJob {
  readonly head: Head;
  readonly set: SampleSet;
  readonly plan: TrainingPlan;
  /** To start from; also what FedProx pulls to. */
  readonly weights: Float32Array;
  readonly seed: number;
  readonly classWeights?: Float32Array | undefined;
  readonly backend: TrainingBackend;
  readonly checkpoint?: OpenCheckpoint | undefined;
  readonly signal: AbortSignal;
  readonly pauses?: TrainingPauses | undefined;
  /** After each epoch, and once at the start where some were made before. */
  onEpoch(done: number, last: HeadEpoch): void;
}

/** The options of the kernels' trainer that a plan stands for. */
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
 * Makes the epochs of a plan, with kernels and an optimizer of its own: a WebAssembly's memory never shrinks, and a round
 * of a federation starts with fresh moments. Stops, waits and lets others in between two epochs.
 * @throws {SednaError} `training-failed` when it diverges. {TypeError} {RangeError} on settings that the kernels refuse.
 */
export async function trainHead(
  job: HeadJob,
): Promise<{ readonly weights: Float32Array; readonly last: HeadEpoch }> {
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
      ...(classWeights && { classWeights }),
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

function oneEpoch(trainer: HeadTrainer): HeadEpoch {
  try {
    return trainer.epoch();
  } catch (cause) {
    throw new SednaError(`train a head: ${messageOf(cause)}`, {
      code: "training-failed",
      cause,
    });
  }
}
