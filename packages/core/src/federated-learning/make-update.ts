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

/** A task to train. */
export type TrainTask = Extract<FederationTask, { kind: "train" }>;

/** Input of {@link makeUpdate}. */
export interface MakeUpdateContext<Sample> {
  readonly estimator: Pick<TrainableEstimator<Sample, unknown>, "train" | "getWeights" | "setWeights">;
  readonly samples: LabeledSamples<Sample>;
  readonly plan: FederationPlan;
  readonly encoder: Pick<UpdateEncoder, "encode">;
  readonly pauses: TrainingPauses | undefined;
  /** Returns the flat parameters of a model version. The caller must not modify them. */
  readonly model: (version: number, signal: AbortSignal) => Promise<Float32Array>;
  /** Retries while the error is recoverable. */
  readonly trying: <T>(
    work: () => Promise<T>,
    options: Pick<RetryOptions, "action" | "signal">,
  ) => Promise<T>;
  readonly emit: (event: FederatedEvent) => void;
}

/**
 * Error code of a failure that may not recur in the next round: the training diverged, or its values cannot
 * be encoded.
 */
const FAILED = "training-failed";

/**
 * Trains the round's model on the samples of this device, and encodes the weight update as a message.
 *
 * @throws {SednaError} `training-failed` if the training of this round failed.
 * @throws The signal's reason; a SednaError, TypeError or RangeError of the samples or the estimator.
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
    // Wait after an abort too: the next user of the estimator must find it idle.
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

/** Emits an event when training pauses or resumes. Returns a function that stops this. */
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

/** Whether to rethrow an error unchanged, because it reports a wrong setup or decides whether to retry. */
function isOfUse(error: unknown): boolean {
  return error instanceof SednaError || error instanceof TypeError || error instanceof RangeError;
}

function failed(cause: unknown): SednaError {
  return new SednaError(
    `train for the federation: expected an update that can be encoded; got ${messageOf(cause)}`,
    { code: FAILED, cause },
  );
}
