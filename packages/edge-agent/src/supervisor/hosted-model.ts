import { SednaError, type EstimatorMetadata } from "@sedna-js/core";
import { transfer } from "comlink";
import { lifeEnded } from "#platform/worker";
import { callWorker, type WorkerResponses } from "../worker/call-worker.ts";
import type { ModelToOpen, RemoteModelHost } from "../worker/protocol.ts";
import { workerCalls } from "../worker/worker-calls.ts";
import { classifyFailure } from "./classify-failure.ts";
import { createRunTimeout } from "./run-timeout.ts";
import type { FailureReason, Backend } from "./supervised-model.ts";

/** What became of a hosted model, and why. */
export interface ModelFailure {
  readonly reason: FailureReason;
  readonly error: unknown;
}

/** One model in one Worker, for as long as it lives. */
export interface HostedModel {
  readonly backend: Backend;
  readonly metadata: EstimatorMetadata;
  /**
   * Asks the model. Rejects at once when the Worker dies, hangs or loses its device; {@link
   * HostedModel.failureOf} says of the error whether it is the model's.
   */
  ask<T>(question: (answers: WorkerResponses) => Promise<T>): Promise<T>;
  /**
   * Why the model is not to be asked again after this error; undefined where the caller had asked for the
   * impossible.
   */
  failureOf(error: unknown): ModelFailure | undefined;
  /** Resolves when the model fails, between two questions too; never where it is ended before. */
  readonly failed: Promise<ModelFailure>;
  /** Lets a question be answered, for a second at most, and ends the Worker. */
  end(): Promise<void>;
  /** Ends the Worker at once. Resolves when its memory is back. */
  kill(): Promise<void>;
}

/** Options of {@link openHostedModel}. */
export interface HostedModelOptions {
  readonly worker: unknown;
  readonly backend: Backend;
  readonly model: ModelToOpen;
  /** Every run's; default by former ones. */
  readonly runTimeoutMs?: number | undefined;
  readonly openTimeoutMs: number;
  /** Ends the Worker while it opens the model. */
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** What became of opening a model. */
export type OpenedModel =
  | { readonly hosted: HostedModel; readonly failure?: never }
  | { readonly hosted?: never; readonly failure: ModelFailure };

/**
 * Has a Worker open a model. The bytes are handed over. A Worker in which it does not open is ended. Never
 * rejects.
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
   * The first reason stands: what comes after it are consequences. Whatever waits for the Worker is rejected.
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
  // Rejects by itself too: not all of the work need be waiting for the Worker.
  const within = <T>(
    work: () => Promise<T>,
    { ms, what }: { readonly ms: number; readonly what: string },
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new SednaError(
          `${what}: expected an answer of the worker within ${Math.round(ms)} ms; got none`,
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

  /** Browsers tell of no Worker that they end themselves; they only take back what it held. */
  const watchLife = async (): Promise<void> => {
    const name = `sedna-model-${crypto.getRandomValues(new Uint8Array(16)).join("-")}`;
    await call(() => remote.live(name));
    lifeEnded(name, { signal: watching.signal }).then(
      () =>
        fail(
          "worker-crashed",
          new SednaError("run a model: expected its worker to live; it was ended", {
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
    // Rejected when the Worker dies, which is how that is heard between two questions.
    call(() => remote.lost()).then(
      ({ reason, message }) =>
        fail(
          "device-lost",
          new SednaError(
            `run a model: expected its GPU device to live; it was lost (${reason}): ${message}`,
            { code: "run-failed", retryable: true },
          ),
        ),
      (error: unknown) => {
        // Ended on purpose.
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
