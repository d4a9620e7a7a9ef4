import { delay } from "../async/delay.ts";
import { createEmitter } from "../async/emitter.ts";
import { createLifetime } from "../async/lifetime.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainableEstimator } from "../estimator/estimator.ts";
import type { SecureClientOptions } from "../secure-aggregation/answer-secure-phase.ts";
import type { Paradigm } from "../paradigm.ts";
import type { TrainingPauses } from "../training/training-pauses.ts";
import { createUpdateEncoder, type UpdateEncoder } from "../update-codec/create-update-encoder.ts";
import { flatLength } from "../wire/federation-parsers.ts";
import type { ClientResources, FederationPlan } from "../wire/federation.ts";
import { createEventStream } from "./event-stream.ts";
import type { FederatedEvent, FederatedStatus } from "./federated-event.ts";
import type { FederationTransport } from "./federation-transport.ts";
import { type ResidualStore, runFederatedClient } from "./run-federated-client.ts";

/** Options of {@link createFederatedLearning}. */
export interface FederatedLearningOptions<Sample, Result> {
  /** The estimator to train. Nothing else may train it or set its weights during a run. */
  readonly estimator: TrainableEstimator<Sample, Result>;
  readonly transport: FederationTransport;
  /** ID of this device, the same in every session. */
  readonly device: string;
  /** Resources that the device reports. A function is called at each join. */
  readonly resources?: ClientResources | (() => ClientResources);
  /** When to pause training. */
  readonly pauses?: TrainingPauses;
  /**
   * Requirements of this client for secure aggregation: keys signed by devices, a larger minimum of clients.
   * Default: at least 3 clients, unsigned keys.
   */
  readonly secure?: Pick<SecureClientOptions, "minClients" | "sign" | "verify">;
  /** Creates the encoder of updates. Default: the encoder that the plan specifies. */
  readonly encoder?: (plan: FederationPlan) => UpdateEncoder;
  /** Stores the residual of lossy encodings, so that it survives a restart of the device. */
  readonly residuals?: ResidualStore;
  /** Upper bound of the first retry delay, in ms; it doubles with each attempt. Default 1000. */
  readonly baseMs?: number;
  /** Maximum retry delay, in ms, without the `retryAfterMs` of an error. Default 60000. */
  readonly capMs?: number;
  /** Random source, uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Waits for `ms`. Resolves early if the signal aborts. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A device's participation in a federation; see {@link createFederatedLearning}. */
export interface FederatedLearning<Sample> extends Paradigm<
  [samples: LabeledSamples<Sample>],
  FederatedEvent,
  FederatedStatus,
  FederatedEvent
> {
  /**
   * Takes part until the federation is done. The events then end, and the estimator has the final model.
   * Temporary failures, such as a lost network connection, are events. Training does not wait for the reader
   * of the events. Only one run is allowed at a time.
   *
   * @throws The signal's reason, or an error of `samples`.
   * @throws {SednaError} `session-replaced` if another client takes part as this device; `model-mismatch` if
   * the estimator does not match the federation's model; `cloud-refused` if the aggregator does not admit
   * this device.
   */
  run(
    samples: LabeledSamples<Sample>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<FederatedEvent>;
  /** Stops the current run and leaves the federation. The owner of the estimator disposes the estimator. */
  dispose(): Promise<void>;
}

/**
 * Creates a client that trains an estimator together with other devices: the samples stay on the device, and
 * only weight updates are sent. Source: Sedna's `FederatedLearning.train`, extended by session recovery,
 * rounds that end, and updates that are accepted only once.
 */
export function createFederatedLearning<Sample, Result>({
  estimator,
  transport,
  device,
  resources = {},
  pauses,
  secure,
  encoder = (plan) => createUpdateEncoder({ plan, length: flatLength(plan.layout) }),
  residuals,
  baseMs = 1000,
  capMs = 60_000,
  random = Math.random,
  wait = delay,
}: FederatedLearningOptions<Sample, Result>): FederatedLearning<Sample> {
  if (!(baseMs > 0 && capMs >= baseMs))
    throw new RangeError(
      `create a federation client: expected 0 < baseMs <= capMs; got ${baseMs} and ${capMs}`,
    );
  const lifetime = createLifetime("take part in a federation");
  const events = createEmitter<FederatedEvent>();
  let status = idleStatus;
  let running: Promise<unknown> | undefined;

  const takePart = async (
    samples: LabeledSamples<Sample>,
    { signal, emit }: { readonly signal: AbortSignal; readonly emit: (event: FederatedEvent) => void },
  ): Promise<void> => {
    try {
      await runFederatedClient({
        estimator,
        transport,
        device,
        resources: () => (typeof resources === "function" ? resources() : resources),
        pauses,
        secure,
        encoder,
        residuals,
        retrying: { baseMs, capMs, random, wait },
        samples,
        signal,
        emit,
      });
    } catch (error) {
      status = { ...status, state: signal.aborted ? "idle" : "failed" };
      throw error;
    } finally {
      await transport.leave();
    }
  };

  const dispose = async (): Promise<void> => {
    lifetime.end();
    await running;
  };

  return {
    async *run(samples, { signal: given } = {}) {
      const either = lifetime.during(given);
      if (running)
        throw new TypeError("take part in a federation: expected one run at a time; got a second run");
      const stop = new AbortController();
      const signal = AbortSignal.any([either, stop.signal]);
      const feed = createEventStream<FederatedEvent>({
        replaces: (newer, older) =>
          newer.type === "training" && older.type === "training" && newer.round === older.round,
      });
      const emit = (event: FederatedEvent): void => {
        status = statusAfter(status, event);
        feed.push(event);
        events.emit(event);
      };
      status = { ...idleStatus, state: "joining" };
      const work = takePart(samples, { signal, emit });
      running = work.then(
        () => feed.end(),
        (error: unknown) => feed.end({ error }),
      );
      try {
        for (let event = await feed.next(); event !== undefined; event = await feed.next()) yield event;
      } finally {
        stop.abort();
        await running;
        running = undefined;
      }
    },
    status: () => status,
    on: events.on,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** Status of a client that has not started. */
const idleStatus: FederatedStatus = {
  state: "idle",
  round: 0,
  modelVersion: 0,
  accepted: 0,
  missed: 0,
  bytesSent: 0,
};

/** Returns the status after an event. */
function statusAfter(status: FederatedStatus, event: FederatedEvent): FederatedStatus {
  const at =
    "round" in event && "modelVersion" in event
      ? { ...status, round: event.round, modelVersion: event.modelVersion }
      : status;
  switch (event.type) {
    case "joined":
    case "waiting":
    case "resumed":
      return { ...at, state: "waiting" };
    case "training":
      return { ...at, state: "training" };
    case "trained":
      return { ...at, round: event.round, state: "sending" };
    case "sent":
      return { ...at, bytesSent: at.bytesSent + event.bytes };
    case "accepted":
      return { ...at, state: "waiting", accepted: at.accepted + (event.again ? 0 : 1) };
    case "missed":
      return { ...at, state: "waiting", missed: at.missed + 1 };
    case "paused":
      return { ...at, state: "paused" };
    case "done":
      return { ...at, state: "done" };
    case "round":
    case "retrying":
    case "storage-failed":
      return at;
    default:
      return event satisfies never;
  }
}
