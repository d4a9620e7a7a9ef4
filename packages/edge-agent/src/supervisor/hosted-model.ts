import { SednaError, type EstimatorMetadata } from "@sedna-js/core";
import { transfer } from "comlink";
import { aliveLockReleased } from "#platform/worker";
import { callWorker, type WorkerResponses } from "../worker/call-worker.ts";
import type { ModelToOpen, RemoteModelHost } from "../worker/protocol.ts";
import { workerCalls } from "../worker/worker-calls.ts";
import { classifyFailure } from "./classify-failure.ts";
import { createRunTimeout } from "./run-timeout.ts";
import type { FailureReason, Backend } from "./supervised-model.ts";

/** The failure of a hosted model, with its reason. */
export interface ModelFailure {
  readonly reason: FailureReason;
  readonly error: unknown;
}

/** A model in one Worker, for the lifetime of that Worker. */
export interface HostedModel {
  readonly backend: Backend;
  readonly metadata: EstimatorMetadata;
  /**
   * Calls the model. Rejects at once if the Worker crashes, hangs, or loses its device. {@link
   * HostedModel.failureOf} returns whether the model caused the error.
   */
  ask<T>(question: (answers: WorkerResponses) => Promise<T>): Promise<T>;
  /**
   * Returns the failure after which the model must not be used again. `undefined` if the caller's request was
   * invalid.
   */
  failureOf(error: unknown): ModelFailure | undefined;
  /** Resolves when the model fails, even between two calls. Never settles if the model is ended first. */
  readonly failed: Promise<ModelFailure>;
  /** Waits at most one second for an active call, then ends the Worker. */
  end(): Promise<void>;
  /** Terminates the Worker at once. Resolves when its memory is freed. */
  kill(): Promise<void>;
}

/** Options of {@link openHostedModel}. */
export interface HostedModelOptions {
  readonly worker: unknown;
  readonly backend: Backend;
  readonly model: ModelToOpen;
  /** Timeout of each run, in ms. Default: derived from earlier runs. */
  readonly runTimeoutMs?: number | undefined;
  readonly openTimeoutMs: number;
  /** Aborts opening, and ends the Worker. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Result of opening a model. */
export type OpenedModel =
  | { readonly hosted: HostedModel; readonly failure?: never }
  | { readonly hosted?: never; readonly failure: ModelFailure };

/**
 * Opens a model in a Worker, and transfers the bytes to it. Ends the Worker if the model cannot be opened.
 * Never rejects.
 */
export async function openHostedModel({
  worker,
  backend,
  model,
  runTimeoutMs,
  openTimeoutMs,
  signal,
  now,
}: HostedModelOptions): Promise<OpenedModel> {
  const calls = workerCalls<RemoteModelHost>(worker, { what: "model" });
  const { remote, call } = calls;
  const timeout = createRunTimeout(runTimeoutMs);
  const watching = new AbortController();
  let failure: ModelFailure | undefined;
  let tell!: (failure: ModelFailure) => void;
  const failed = new Promise<ModelFailure>((resolve) => (tell = resolve));

  /**
   * Keeps only the first reason: later failures are consequences. Rejects all calls that wait for the Worker.
   */
  const fail = (reason: FailureReason, error: SednaError): void => {
    if (failure) return;
    failure = { reason, error };
    tell(failure);
    watching.abort();
    void calls.kill(error);
  };
  const kill = (): Promise<void> => {
    watching.abort();
    return calls.kill(gone(backend));
  };
  // Reject here as well: part of the work may not be waiting for the Worker.
  const within = <T>(
    work: () => Promise<T>,
    { ms, what }: { readonly ms: number; readonly what: string },
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new SednaError(
          `${what}: expected a response of the worker within ${Math.round(ms)} ms; got none`,
          { code: "run-failed", retryable: true },
        );
        fail("worker-hung", error);
        reject(error);
      }, ms);
      work()
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  const failureOf = (error: unknown, during: "open" | "run"): ModelFailure | undefined => {
    if (failure) return failure;
    const reason = classifyFailure(error, { during, dead: calls.dead !== undefined });
    return reason && { reason, error };
  };

  /**
   * Watches the lifetime of the Worker. Browsers do not report a Worker that they end themselves; they only
   * release its locks.
   */
  const watchLife = async (): Promise<void> => {
    const name = `sedna-model-${crypto.getRandomValues(new Uint8Array(16)).join("-")}`;
    await call(() => remote.live(name));
    aliveLockReleased(name, { signal: watching.signal }).then(
      () =>
        fail(
          "worker-crashed",
          new SednaError("run a model: expected an active worker; it was ended", {
            code: "run-failed",
            retryable: true,
          }),
        ),
      () => {},
    );
  };
  const stop = (): void => void kill();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { model: bytes, externalData } = model;
    const buffers = new Set(
      [bytes, ...externalData.map(({ data }) => data)].map(({ buffer }) => buffer as ArrayBuffer),
    );
    const opening = async (): Promise<EstimatorMetadata> => {
      await watchLife();
      return call(() => remote.open(transfer(model, [...buffers])));
    };
    const metadata = await within(opening, { ms: openTimeoutMs, what: "open a model" });
    // Rejects when the Worker ends, which is how an end between two calls is detected.
    call(() => remote.lost()).then(
      ({ reason, message }) =>
        fail(
          "device-lost",
          new SednaError(
            `run a model: expected an available GPU device; it was lost (${reason}): ${message}`,
            { code: "run-failed", retryable: true },
          ),
        ),
      (error: unknown) => {
        // Ended intentionally.
        if (error instanceof SednaError && error.code === "disposed") return;
        failure ??= failureOf(error, "run") ?? { reason: "worker-crashed", error };
        tell(failure);
      },
    );
    const answers = callWorker(calls);
    const hosted: HostedModel = {
      backend,
      metadata,
      failed,
      async ask(question) {
        const started = now();
        const answer = await within(() => question(answers), { ms: timeout.ms, what: "run a model" });
        timeout.took(now() - started);
        return answer;
      },
      failureOf: (error) => failureOf(error, "run"),
      end() {
        watching.abort();
        return calls.end(() => remote.dispose());
      },
      kill,
    };
    return { hosted };
  } catch (error) {
    const why = failureOf(error, "open") ?? { reason: "open-failed", error };
    void kill();
    return { failure: why };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function gone(backend: Backend): SednaError {
  return new SednaError(`run a model: expected a live worker on ${backend}; it was ended`, {
    code: "disposed",
  });
}
