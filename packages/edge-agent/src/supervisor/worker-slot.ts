import { SednaError } from "@sedna-js/core";
import { waitAtMost } from "@sedna-js/core/async";
import type { ExecutionProvider } from "#platform/onnx";
import type { WorkerResponses } from "../worker/call-worker.ts";
import type { BackendHistory } from "./backend-history.ts";
import { isFinal } from "./classify-failure.ts";
import type { HostedModel, ModelFailure, OpenedModel } from "./hosted-model.ts";
import type { OpenOnBackendOptions } from "./open-on-backend.ts";

/** Maximum time to wait until an ended Worker frees its memory, before the next one is started, in ms. */
const MEMORY_BACK_MS = 1000;

/** Options of {@link createWorkerSlot}. */
export interface WorkerSlotOptions {
  readonly history: BackendHistory;
  readonly open: (
    backend: ExecutionProvider,
    options: Pick<OpenOnBackendOptions, "suspect" | "signal">,
  ) => Promise<OpenedModel>;
  readonly now: () => number;
}

/** Creates the slot of a Worker. Invariants: at most one model is current, and at most one is opened. */
export function createWorkerSlot({ history, open, now }: WorkerSlotOptions) {
  const life = new AbortController();
  const { signal } = life;
  let current: HostedModel | undefined;
  let opening: Promise<HostedModel> | undefined;
  let leaving: Promise<unknown> = Promise.resolve();
  let retrying: Promise<void> | undefined;

  /** Ends a failed model, once, and starts to open another before the next sample needs it. */
  const retire = (hosted: HostedModel, failure: ModelFailure): void => {
    if (hosted !== current || signal.aborted) return;
    current = undefined;
    leaving = waitAtMost(hosted.kill(), MEMORY_BACK_MS);
    history.failed(failure, { final: false });
    ready().catch(() => {});
  };
  const use = (hosted: HostedModel, started: number): void => {
    current = hosted;
    void hosted.failed.then((failure) => retire(hosted, failure));
    history.opened(hosted.backend, now() - started);
  };

  /** Opens the model on the current backend of the chain, and falls back to the next ones if that fails. */
  const openNext = async (): Promise<HostedModel> => {
    await history.start();
    for (;;) {
      await leaving;
      signal.throwIfAborted();
      // A switch may have completed meanwhile.
      if (current) return current;
      const { backend } = history;
      if (backend === "cloud") throw unavailable(history.lastFailure?.error);
      const started = now();
      const suspect = history.lastFailure !== undefined && backend === "webgpu";
      const { hosted, failure } = await open(backend, { suspect, signal });
      if (signal.aborted) {
        await hosted?.kill();
        signal.throwIfAborted();
      }
      // Ignore the result: the supervisor has switched to another backend.
      if (history.backend !== backend) void hosted?.kill();
      else if (failure) history.failed(failure, { final: isFinal(failure.error) });
      else use(hosted, started);
    }
  };
  const ready = async (): Promise<HostedModel> => {
    signal.throwIfAborted();
    if (current) return current;
    opening ??= openNext().finally(() => (opening = undefined));
    return opening;
  };

  /** Opens the model on the next better backend while the current one runs, and switches to it. */
  const retryBetter = async (
    betweenCalls: (takeOver: () => Promise<void>) => Promise<void>,
  ): Promise<void> => {
    const { backend, to } = history.better;
    const started = now();
    const { hosted, failure } = await open(backend, { suspect: true, signal });
    if (signal.aborted) return hosted?.kill();
    if (failure) return history.retryFailed(to, failure);
    const takeOver = async (): Promise<void> => {
      const former = current;
      history.retrySucceeded(to);
      use(hosted, started);
      void former?.end();
    };
    await betweenCalls(takeOver).catch(() => hosted.kill());
  };

  return {
    get current() {
      return current;
    },
    ready,
    /** Calls the model, and calls it once more if it fails meanwhile. */
    async ask<T>(
      question: (answers: WorkerResponses) => Promise<T>,
      callSignal: AbortSignal | undefined,
    ): Promise<T> {
      for (let tries = 1; ; tries++) {
        const hosted = await ready();
        callSignal?.throwIfAborted();
        try {
          const answer = await hosted.ask(question);
          history.answered(hosted.backend);
          return answer;
        } catch (error) {
          signal.throwIfAborted();
          const failure = hosted.failureOf(error);
          if (failure) retire(hosted, failure);
          callSignal?.throwIfAborted();
          if (!failure || tries === 2) throw error;
        }
      }
    },
    /** Tries the next better backend, one at a time. The end of an attempt schedules the next one. */
    tryBetter(betweenCalls: (takeOver: () => Promise<void>) => Promise<void>): void {
      retrying ??= retryBetter(betweenCalls).finally(() => (retrying = undefined));
    },
    async end(): Promise<void> {
      life.abort(disposed());
      history.end();
      await Promise.all([current?.end(), opening?.catch(() => {}), retrying]);
    },
  };
}

function disposed(): SednaError {
  return new SednaError("use a model: expected an active model; got one that was disposed", {
    code: "disposed",
  });
}

function unavailable(cause: unknown): SednaError {
  const why = cause instanceof Error ? cause.message : "none of its variants supports this device";
  return new SednaError(`run the model here: expected a working backend; got none: ${why}`, {
    code: "edge-unavailable",
    retryable: true,
    cause,
  });
}
