import { delay } from "../async/delay.ts";
import { SednaError } from "../errors.ts";
import type { LabeledSamples } from "../training/labeled-samples.ts";
import type { TrainableEstimator } from "../estimator/estimator.ts";
import type { SecureClientOptions } from "../secure-aggregation/create-secure-client.ts";
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
  /** What learns. Nobody else may train it or set its weights while it takes part. */
  readonly estimator: TrainableEstimator<Sample, Result>;
  readonly transport: FederationTransport;
  /** This device's id, the same in every session. */
  readonly device: string;
  /** What the device is good for; a function is asked at each join. */
  readonly resources?: ClientResources | (() => ClientResources);
  /** When not to train. */
  readonly pauses?: TrainingPauses;
  /** What this client asks of secure sums: keys that devices signed, a larger least of clients. Default: at least 3, unsigned. */
  readonly secure?: Pick<SecureClientOptions, "minClients" | "sign" | "verify">;
  /** Makes messages of changes. Default: as the plan says. */
  readonly encoder?: (plan: FederationPlan) => UpdateEncoder;
  /** Keeps what lossy encodings have left out, for after a restart of the device. */
  readonly residuals?: ResidualStore;
  /** The first wait after a failure is at most this long, in ms; it doubles. Default 1000. */
  readonly baseMs?: number;
  /** The longest wait of our own, in ms. Default 60000. */
  readonly capMs?: number;
  /** Uniform in [0,1). */
  readonly random?: () => number;
  /** Waits, and ends early without an error when the signal says so. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A device's part in a federation; see {@link createFederatedLearning}. */
export interface FederatedLearning<Sample> {
  /**
   * Takes part until the federation is done: then the events end, and the estimator has the final model. What passes, such
   * as a network that is gone, is an event. Training does not wait for whoever reads. One run at a time.
   *
   * @throws the signal's reason; {SednaError} `session-replaced` when another one takes part as this device,
   * `model-mismatch` when the estimator is not what the federation trains, `cloud-refused` when it does not want this
   * device; what the samples throw.
   */
  run(
    samples: LabeledSamples<Sample>,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<FederatedEvent>;
  status(): FederatedStatus;
  /** Ends what runs and leaves the federation. The estimator is its owner's to dispose. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Trains an estimator together with other devices: the samples stay, changes of the weights travel.
 * Source: Sedna's `FederatedLearning.train`, with sessions that come back, rounds that end and updates that count once.
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
      `make a federation's client: expected 0 < baseMs <= capMs; got ${baseMs} and ${capMs}`,
    );
  const lifetime = new AbortController();
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
    lifetime.abort(
      new SednaError("take part in a federation: expected a client at work; it was disposed", {
        code: "disposed",
      }),
    );
    await running;
  };

  return {
    async *run(samples, { signal: given } = {}) {
      lifetime.signal.throwIfAborted();
      given?.throwIfAborted();
      if (running) throw new TypeError("take part in a federation: expected one run at a time; got another");
      const stop = new AbortController();
      const signal = AbortSignal.any([lifetime.signal, stop.signal, ...(given ? [given] : [])]);
      const feed = createEventStream<FederatedEvent>({
        replaces: (newer, older) =>
          newer.type === "training" && older.type === "training" && newer.round === older.round,
      });
      const emit = (event: FederatedEvent): void => {
        status = statusAfter(status, event);
        feed.push(event);
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
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** The status of a client that has not begun. */
const idleStatus: FederatedStatus = {
  state: "idle",
  round: 0,
  modelVersion: 0,
  accepted: 0,
  missed: 0,
  bytesSent: 0,
};

/** The status after an event. */
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
