import type { EstimatorMetadata } from "@sedna-js/core";
import { abortable, createSerialQueue } from "@sedna-js/core/async";
import { defaultModelWorker } from "#platform/worker";
import type { ExecutionProvider } from "#platform/onnx";
import type { VerifiedModel } from "../models/model-store.ts";
import type { WorkerResponses } from "../worker/call-worker.ts";
import { createBackendHistory } from "./backend-history.ts";
import { openOnBackend } from "./open-on-backend.ts";
import type { SupervisedModel, SupervisorEvent } from "./supervised-model.ts";
import { createWorkerSlot } from "./worker-slot.ts";

// A model runs in one Worker at a time. Three parts share the work:
//
//   backend-history   which backend to use: the chain of fallbacks, its failures, and its retry timer
//   open-on-backend   opens the model in a new Worker; never rejects
//   worker-slot       the Worker in use: it is replaced when it fails, and when a better backend works
//
// A call takes its turn in a serial queue, gets the model of the slot, which opens one if there is none, and
// asks it. If the model fails meanwhile, the slot drops it, and the call asks the next model once. A better
// backend is opened beside the running one, and takes over between two calls.

/** Options of {@link superviseModel}. */
export interface SuperviseModelOptions {
  readonly model: VerifiedModel;
  /** Creates a Worker that calls `exposeModelHost()`. Node has a built-in one; a page must provide it. */
  readonly createWorker?: () => unknown;
  /**
   * Execution providers, best first. Those without a variant of the model are skipped. Default: the useful
   * ones of this device.
   */
  readonly executionProviders?: readonly ExecutionProvider[];
  /** CPU threads, in Node. Default 1. */
  readonly threads?: number;
  /**
   * Time after which a run counts as hung, in ms. It also applies to the first run of a Worker, which on a
   * GPU compiles. Default: 20 times the median of the Worker's runs, within 5 and 60 s; 60 s for the first.
   */
  readonly runTimeoutMs?: number;
  /**
   * Time after which opening a model counts as hung, in ms. Opening may fetch ONNX Runtime. Default 120000.
   */
  readonly openTimeoutMs?: number;
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Monotonic clock, in ms. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Runs a model in a Worker of its own and keeps it running. When the Worker crashes, hangs, runs out of
 * memory, loses its GPU, or rejects a run, the Worker is terminated and the model is opened in a new Worker,
 * by the rules of `advanceFallbackChain`: on the same backend again, or on the next one. After the last
 * backend has failed, `predict` rejects with `edge-unavailable`. The sample of the failed call is passed to
 * the new model once, so the caller must keep it until the call settles. Later calls wait.
 *
 * @throws {SednaError} From the calls: `edge-unavailable`, retryable, if no backend works; `disposed`; what
 * the model throws for a sample that it cannot process; the failure, if the same sample fails twice.
 */
export function superviseModel<Sample, Result>(
  options: SuperviseModelOptions,
): SupervisedModel<Sample, Result> {
  const { model, createWorker = defaultModelWorker, openTimeoutMs = 120_000, onEvent } = options;
  const { threads, runTimeoutMs, executionProviders, now = () => performance.now() } = options;
  const { manifest } = model;
  const queue = createSerialQueue();
  const history = createBackendHistory({
    manifest,
    executionProviders,
    onEvent,
    now,
    onRetryDue: () => slot.tryBetter((takeOver) => queue.run(takeOver)),
  });
  const slot = createWorkerSlot({
    history,
    now,
    open: (backend, more) =>
      openOnBackend(model, backend, { createWorker, threads, runTimeoutMs, openTimeoutMs, now, ...more }),
  });
  let disposing: Promise<void> | undefined;

  const inTurn = <T>(
    question: (answers: WorkerResponses) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> =>
    abortable(
      queue.run(() => slot.ask(question, signal), signal ? { signal } : {}),
      signal,
    );
  const dispose = (): Promise<void> => {
    disposing ??= (async () => {
      const ended = slot.end();
      await Promise.all([queue.close(), ended]);
    })();
    return disposing;
  };

  return {
    manifest,
    get backend() {
      return slot.current?.backend ?? history.backend;
    },
    get failures() {
      return history.failures;
    },
    async load({ signal } = {}): Promise<EstimatorMetadata> {
      signal?.throwIfAborted();
      return (await abortable(slot.ready(), signal)).metadata;
    },
    predict: (sample, { signal } = {}) =>
      inTurn(({ predict }) => predict(sample, { signal }) as Promise<Result>, signal),
    run: (feeds, { signal } = {}) => inTurn(({ run }) => run(feeds, { signal }), signal),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
