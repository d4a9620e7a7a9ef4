import { messageOf, SednaError } from "../errors.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainableEstimator } from "../estimator/estimator.ts";
import { backoff } from "../async/backoff.ts";
import { abortable } from "../async/abortable.ts";
import type { UpdateEncoder } from "../update-codec/create-update-encoder.ts";
import { flatLength } from "../wire/federation-parsers.ts";
import type { ClientResources, FederationPlan, FederationTask, SessionGrant } from "../wire/federation.ts";
import type { TrainingPauses } from "../training/training-pauses.ts";
import type { FederatedEvent } from "./federated-event.ts";
import type { FederationTransport } from "./federation-transport.ts";
import { flattenWeights, splitWeights } from "./flat-weights.ts";
import { followFederation } from "./follow-federation.ts";
import type { RetryOptions, RetryPolicy } from "../async/retry.ts";
import { retrySession } from "./retry-session.ts";
import type { TrainTask } from "./make-update.ts";
import { runRound, type RoundPart } from "./run-round.ts";
import type * as SecureAggregate from "./run-secure-aggregation.ts";
import type { SecureContext, SecureAggregationRun, SecureTask } from "./run-secure-aggregation.ts";

/** Stores the residual of lossy encodings across restarts of the device. Use one store per federation. */
export interface ResidualStore {
  read(): Promise<Float32Array | undefined>;
  write(residual: Float32Array | undefined): Promise<void>;
}

/** Parts of a federation's client. */
export interface FederatedClient<Sample> {
  readonly estimator: TrainableEstimator<Sample, unknown>;
  readonly transport: FederationTransport;
  readonly device: string;
  readonly resources: () => ClientResources;
  readonly pauses: TrainingPauses | undefined;
  readonly encoder: (plan: FederationPlan) => UpdateEncoder;
  readonly residuals: ResidualStore | undefined;
  readonly retrying: Omit<Required<RetryPolicy>, "onRetry">;
  /** Requirements for secure aggregation, in addition to the client's own checks. */
  readonly secure: SecureContext<Sample>["secure"] | undefined;
}

/** Options of {@link runFederatedClient}. */
export interface RunFederatedClientOptions<Sample> extends FederatedClient<Sample> {
  readonly samples: LabeledSamples<Sample>;
  readonly signal: AbortSignal;
  readonly emit: (event: FederatedEvent) => void;
}

/**
 * Takes part in a federation until it is done. No work is left running when it settles.
 *
 * @throws The errors of `FederatedLearning.run`.
 */
export async function runFederatedClient<Sample>(options: RunFederatedClientOptions<Sample>): Promise<void> {
  const { estimator, transport, device, resources, encoder: encoderOf, residuals, samples, emit } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const retrying: Required<RetryPolicy> = {
    ...options.retrying,
    onRetry: ({ action, error, retryInMs }) =>
      emit({ type: "retrying", action, code: error.code, message: error.message, retryInMs }),
  };
  const news: { task?: FederationTask; wake: () => void } = { wake: () => {} };
  let membership: { readonly plan: FederationPlan; readonly encoder: UpdateEncoder } | undefined;
  let newestModel: { readonly version: number; readonly flat: Float32Array } | undefined;
  const heard: { kind?: FederationTask["kind"]; round?: number; modelVersion?: number } = {};
  let part: RoundPart | undefined;
  let secure: SecureAggregationRun | undefined;

  const openEncoder = async (plan: FederationPlan): Promise<UpdateEncoder> => {
    const encoder = encoderOf(plan);
    try {
      const residual = await residuals?.read();
      // A residual of another model would be noise.
      if (residual?.length === encoder.length) encoder.restore(residual);
    } catch (error) {
      emit({ type: "storage-failed", message: messageOf(error) });
    }
    return encoder;
  };
  const keepResidual = (): void => {
    residuals
      ?.write(membership!.encoder.state())
      .catch((error: unknown) => emit({ type: "storage-failed", message: messageOf(error) }));
  };
  const onJoined = async ({ plan, epoch }: SessionGrant): Promise<void> => {
    flattenWeights(await estimator.getWeights(), plan.layout);
    // Under the same plan, the encoder keeps its residual.
    if (JSON.stringify(membership?.plan) !== JSON.stringify(plan))
      membership = { plan, encoder: await openEncoder(plan) };
    // An aggregator that has lost its log may reuse an old version number for another model.
    newestModel = undefined;
    // Load the code now, while the network is available and the server still has the files of this page's
    // version.
    if (plan.protection === "secure-aggregation") loadSecureAggregation().catch(() => {});
    emit({ type: "joined", epoch, plan });
  };
  const join = (): ReturnType<typeof followFederation> =>
    followFederation({
      transport,
      request: () => ({ protocol: 1, device, numSamples, resources: resources() }),
      signal,
      retrying,
      onJoined,
      onTask: (task) => {
        news.task = task;
        news.wake();
      },
    });
  const trying = <T>(
    work: () => Promise<T>,
    { action, signal: limit }: Pick<RetryOptions, "action" | "signal">,
  ): Promise<T> => {
    let session = 0;
    const once = (): Promise<T> => {
      session = following.session();
      return work();
    };
    const onError = ({ code }: SednaError): void => {
      if (code === "session-ended") following.lost(session);
    };
    return retrySession(once, { ...retrying, action, signal: limit, onError });
  };
  const model = async (version: number, limit: AbortSignal): Promise<Float32Array> => {
    if (newestModel?.version === version) return newestModel.flat;
    const flat = await trying(
      () => transport.fetchModel(version, { length: flatLength(membership!.plan.layout), signal: limit }),
      { action: "fetch the model", signal: limit },
    );
    newestModel = { version, flat };
    return flat;
  };
  const open = (task: TrainTask): RoundPart =>
    runRound(task, {
      ...options,
      ...membership!,
      model,
      trying,
      sendUpdate: (message, at) => transport.sendUpdate(message, at),
      beforeAgain: (tried, limit) => retrying.wait(backoff({ ...retrying, tried: tried - 1 }), limit),
      signal,
      onCommitted: keepResidual,
      onIdle: () => news.wake(),
      onFailed: (error) => ended.abort(error),
    });

  const openSecure = async (task: SecureTask): Promise<SecureAggregationRun> => {
    const { runSecureAggregation } = await trying(loadSecureAggregation, {
      action: "load the secure aggregation",
      signal,
    });
    return runSecureAggregation(task, {
      ...options,
      ...membership!,
      secure: options.secure ?? {},
      model,
      trying,
      sendSecure: (phase, at) => transport.sendSecure(phase, at),
      signal,
      onFailed: (error) => ended.abort(error),
    });
  };

  /**
   * Carries out a task. Returns `finished` at the end of the federation, and `later` if the current work has
   * to end first.
   */
  const act = async (task: FederationTask): Promise<"finished" | "later" | "acted"> => {
    const { kind, round, modelVersion } = task;
    if (heard.modelVersion !== undefined && heard.modelVersion !== modelVersion)
      emit({ type: "round", round, modelVersion });
    heard.modelVersion = modelVersion;
    const isPart = part?.task.round === round && part.task.modelVersion === modelVersion;
    if (kind === "train" && isPart) {
      part!.told(task);
      return "acted";
    }
    // A closing round has no more work for its clients. The response to a pending upload reports whether the
    // update is accepted.
    if (kind === "wait" && isPart && !part!.idle) return "later";
    // In buffered mode the model advances while a client trains; the aggregator still accepts an update of an
    // older model.
    if (kind === "train" && membership!.plan.mode === "buffered" && part && !part.idle) return "later";
    // A client waits between two phases. Only a client that receives `wait` while it is training has been
    // left behind.
    if (secure?.round === round && (kind === "secure" || (kind === "wait" && !secure.training))) {
      if (kind === "secure") secure.told(task);
      return "acted";
    }
    // An abandoned round restarts with the same model. Keep the same update for it, because the encoder
    // already keeps its residual.
    if (!(kind === "wait" && part?.idle && part.task.modelVersion === modelVersion)) {
      await part?.stop({ over: true });
      part = undefined;
    }
    await secure?.stop({ over: true });
    secure = undefined;
    // A polling client receives the same task repeatedly.
    const isSame = heard.kind === kind && heard.round === round;
    Object.assign(heard, { kind, round });
    switch (kind) {
      case "train":
        part = open(task);
        return "acted";
      case "wait":
        if (!isSame) emit({ type: "waiting", round, modelVersion });
        return "acted";
      case "secure":
        secure = await openSecure(task);
        return "acted";
      case "done": {
        const last = await model(modelVersion, signal);
        await estimator.setWeights(splitWeights(last, membership!.plan.layout));
        emit({ type: "done", round, modelVersion });
        return "finished";
      }
      default:
        return kind satisfies never;
    }
  };

  await estimator.load({ signal });
  const numSamples = await countOf(samples, signal);
  const following = join();
  following.failed.catch((error: unknown) => ended.abort(error));
  try {
    for (;;) {
      const task = news.task;
      delete news.task;
      const came = task && (await act(task));
      if (came === "finished") return;
      if (came === "later") news.task ??= task;
      if (came === "later" ? part?.idle !== true : news.task === undefined)
        await abortable(new Promise<void>((resolve) => (news.wake = resolve)), signal);
      signal.throwIfAborted();
    }
  } finally {
    ended.abort(new SednaError("take part in a federation: the run has ended", { code: "disposed" }));
    await part?.stop({ over: false });
    await secure?.stop({ over: false });
    await following.ended;
  }
}

/** Loads the code of secure aggregation on demand: most pages that train do not need its 16 KB. */
async function loadSecureAggregation(): Promise<Pick<typeof SecureAggregate, "runSecureAggregation">> {
  try {
    return await import("./run-secure-aggregation.ts");
  } catch (cause) {
    throw new SednaError(
      `load the secure aggregation: expected the module to load; got ${messageOf(cause)}`,
      {
        code: "cloud-unreachable",
        retryable: true,
        cause,
      },
    );
  }
}

async function countOf(samples: LabeledSamples<unknown>, signal: AbortSignal): Promise<number> {
  if (samples.count !== undefined) return samples.count;
  let count = 0;
  for await (const _ of samples) {
    signal.throwIfAborted();
    count++;
  }
  return count;
}
