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
import type { SecureContext, SecurePart, SecureTask } from "./run-secure-aggregation.ts";

/** Keeps what encodings have left out so far, for a device that starts again. One store a federation. */
export interface ResidualStore {
  read(): Promise<Float32Array | undefined>;
  write(residual: Float32Array | undefined): Promise<void>;
}

/** What a client of a federation is made of. */
export interface FederatedClient<Sample> {
  readonly estimator: TrainableEstimator<Sample, unknown>;
  readonly transport: FederationTransport;
  readonly device: string;
  readonly resources: () => ClientResources;
  readonly pauses: TrainingPauses | undefined;
  readonly encoder: (plan: FederationPlan) => UpdateEncoder;
  readonly residuals: ResidualStore | undefined;
  readonly retrying: Omit<Required<RetryPolicy>, "onRetry">;
  /** What it asks of secure sums beside what it always does. */
  readonly secure: SecureContext<Sample>["secure"] | undefined;
}

/** Options of {@link runFederatedClient}. */
export interface RunFederatedClientOptions<Sample> extends FederatedClient<Sample> {
  readonly samples: LabeledSamples<Sample>;
  readonly signal: AbortSignal;
  readonly emit: (event: FederatedEvent) => void;
}

/** Takes part in a federation until it is done. When it settles nothing of it is left at work. @throws as `FederatedLearning.run`. */
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
  let secure: SecurePart | undefined;

  const openEncoder = async (plan: FederationPlan): Promise<UpdateEncoder> => {
    const encoder = encoderOf(plan);
    try {
      const residual = await residuals?.read();
      // Of another model it would be noise.
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
    // Under the same plan an encoder goes on with what it has left out so far.
    if (JSON.stringify(membership?.plan) !== JSON.stringify(plan))
      membership = { plan, encoder: await openEncoder(plan) };
    // An aggregator that has lost its log may give an old number to another model.
    newestModel = undefined;
    // While the network is there, and the page's files are those that it came with.
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

  const openSecure = async (task: SecureTask): Promise<SecurePart> => {
    const { runSecureAggregation } = await trying(loadSecureAggregation, {
      action: "load the secure sum",
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

  /** Does what a task says; `finished` at the end, `later` when what runs has to end first. */
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
    // A round that closes has nothing more to do for anyone; whether an update that is on its way counts, its answer tells.
    if (kind === "wait" && isPart && !part!.idle) return "later";
    // In the buffered mode a model goes on while a client trains; what it makes of an older one still counts.
    if (kind === "train" && membership!.plan.mode === "buffered" && part && !part.idle) return "later";
    // Between two phases a client waits; only one that still trains while others went on has been left behind.
    if (secure?.round === round && (kind === "secure" || (kind === "wait" && !secure.training))) {
      if (kind === "secure") secure.told(task);
      return "acted";
    }
    // A round that was given up opens again for the same model: the same update is for that, as what its encoding left out is kept already.
    if (!(kind === "wait" && part?.idle && part.task.modelVersion === modelVersion)) {
      await part?.stop({ over: true });
      part = undefined;
    }
    await secure?.stop({ over: true });
    secure = undefined;
    // Who polls hears the same again and again.
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
    ended.abort(new SednaError("take part in a federation: it ended", { code: "disposed" }));
    await part?.stop({ over: false });
    await secure?.stop({ over: false });
    await following.ended;
  }
}

/** Loaded when it is needed: most pages that train with others have no use for its 16 KB of curves and shares. */
async function loadSecureAggregation(): Promise<Pick<typeof SecureAggregate, "runSecureAggregation">> {
  try {
    return await import("./run-secure-aggregation.ts");
  } catch (cause) {
    throw new SednaError(`load the secure sum: expected the program's own code; got ${messageOf(cause)}`, {
      code: "cloud-unreachable",
      retryable: true,
      cause,
    });
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
