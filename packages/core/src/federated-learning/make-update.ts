import { messageOf, SednaError } from "../errors.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainableEstimator } from "../estimator/estimator.ts";
import type { TrainingReport } from "../training/train-options.ts";
import type { EncodedUpdate, UpdateEncoder } from "../update-codec/create-update-encoder.ts";
import type { FederationPlan, FederationTask } from "../wire/federation.ts";
import { untilResumed, type TrainingPauses } from "../training/training-pauses.ts";
import type { FederatedEvent } from "./federated-event.ts";
import { flattenWeights, splitWeights } from "./flat-weights.ts";
import type { RetryOptions } from "../async/retry.ts";

/** What a client is asked to train. */
export type TrainTask = Extract<FederationTask, { kind: "train" }>;

/** What making an update needs. */
export interface MakeUpdateContext<Sample> {
  readonly estimator: Pick<TrainableEstimator<Sample, unknown>, "train" | "getWeights" | "setWeights">;
  readonly samples: LabeledSamples<Sample>;
  readonly plan: FederationPlan;
  readonly encoder: Pick<UpdateEncoder, "encode">;
  readonly pauses: TrainingPauses | undefined;
  /** The flat parameters of a version; not to be written to. */
  readonly model: (version: number, signal: AbortSignal) => Promise<Float32Array>;
  /** Tries again for as long as the failure may pass. */
  readonly trying: <T>(
    work: () => Promise<T>,
    options: Pick<RetryOptions, "action" | "signal">,
  ) => Promise<T>;
  readonly emit: (event: FederatedEvent) => void;
}

/** Errors of a training that the next round may not have: it diverged, or its numbers cannot travel. */
const FAILED = "training-failed";

/**
 * Trains the round's model on what this device has, and makes the update's message of what changed.
 *
 * @throws {SednaError} `training-failed` where this round's training did; the signal's reason; TypeError, RangeError and
 * others of the samples' or the estimator's own.
 */
export async function makeUpdate<Sample>(
  task: TrainTask,
  { signal, ...context }: MakeUpdateContext<Sample> & { readonly signal: AbortSignal },
): Promise<EncodedUpdate> {
  const { estimator, samples, plan, encoder, pauses, model, trying, emit } = context;
  const { round, modelVersion } = task;

  const train = async (): Promise<{ readonly change: Float32Array; readonly report: TrainingReport }> => {
    await untilResumed(pauses, signal);
    const base = await model(modelVersion, signal);
    await estimator.setWeights(splitWeights(base, plan.layout));
    signal.throwIfAborted();
    emit({ type: "training", round, modelVersion });
    const report = await estimator.train(samples, {
      plan: plan.training,
      signal,
      ...(pauses && { pauses }),
      onProgress: (progress) => {
        if (!signal.aborted) emit({ type: "training", round, modelVersion, progress });
      },
    });
    signal.throwIfAborted();
    const change = flattenWeights(await estimator.getWeights(), plan.layout);
    for (let i = 0; i < change.length; i++) change[i]! -= base[i]!;
    return { change, report };
  };

  const stopTelling = tellPauses(pauses, emit);
  let last: Promise<unknown> | undefined;
  const once = (): ReturnType<typeof train> => {
    const training = train().catch((error: unknown) =>
      Promise.reject(signal.aborted || isOfUse(error) ? error : failed(error)),
    );
    last = training.catch(() => {});
    return training;
  };
  const { change, report } = await trying(once, { action: "train", signal }).finally(async () => {
    stopTelling();
    // Also where it was told to stop: whoever comes next must find the estimator at rest.
    await last;
  });
  emit({ type: "trained", round, report });
  const { loss, accuracy, numSamples } = report;
  try {
    return encoder.encode(change, {
      round,
      modelVersion,
      numSamples: Math.min(numSamples, plan.maxNumSamples),
      metrics: { loss, accuracy },
    });
  } catch (error) {
    throw failed(error);
  }
}

/** Tells when training pauses and goes on; returns what ends that. */
function tellPauses(pauses: TrainingPauses | undefined, emit: (event: FederatedEvent) => void): () => void {
  let paused = false;
  const tell = (): void => {
    if (pauses!.paused === paused) return;
    paused = !paused;
    emit({ type: paused ? "paused" : "resumed" });
  };
  if (!pauses) return () => {};
  tell();
  return pauses.onChange(tell);
}

/** Errors that say something to whoever set this up, or by which a retry is decided. */
function isOfUse(error: unknown): boolean {
  return error instanceof SednaError || error instanceof TypeError || error instanceof RangeError;
}

function failed(cause: unknown): SednaError {
  return new SednaError(
    `train for the federation: expected a change that can be sent; got ${messageOf(cause)}`,
    { code: FAILED, cause },
  );
}
