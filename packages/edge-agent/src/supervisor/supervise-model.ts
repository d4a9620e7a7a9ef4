import { SednaError, type EstimatorMetadata } from "@sedna-js/core";
import { abortable, callListener, createSerialQueue, waitAtMost } from "@sedna-js/core/async";
import { toPlainError } from "@sedna-js/core/errors";
import { defaultModelWorker } from "#platform/worker";
import { defaultProviders, hasShaderF16, type ExecutionProvider } from "#platform/onnx";
import { checkGolden } from "../models/check-golden.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import type { WorkerResponses } from "../worker/call-worker.ts";
import { selectVariant, variantsFor } from "./select-variant.ts";
import { isFinal } from "./classify-failure.ts";
import { openHostedModel, type HostedModel, type ModelFailure, type OpenedModel } from "./hosted-model.ts";
import {
  advanceFallbackChain,
  backendOf,
  startFallbackChain,
  type FallbackChain,
  type FallbackEvent,
} from "./fallback-chain.ts";
import type { Backend, SupervisedModel, SupervisorEvent } from "./supervised-model.ts";

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

/** Maximum time to wait until an ended Worker frees its memory, before the next one is started, in ms. */
const MEMORY_BACK_MS = 1000;

/**
 * Runs a model in a Worker of its own, whatever happens to it. When its Worker crashes, hangs, runs out of
 * memory, loses its GPU or rejects a run, the Worker is ended and the model opened in a fresh one, by the
 * rules of `advanceFallbackChain`: there again, or on the next rung, at last on none, where `predict` rejects
 * with `edge-unavailable`. The sample in flight is asked once more, so it must be its caller's until it is
 * answered; those behind it wait.
 *
 * @throws {SednaError} from the calls: `edge-unavailable`, retryable, where nothing runs here; `disposed`;
 * what the
 *   model throws of a sample that it cannot take; what failed, where it failed the second time with the same
 *   sample.
 */
export function superviseModel<Sample, Result>(
  options: SuperviseModelOptions,
): SupervisedModel<Sample, Result> {
  const {
    model,
    createWorker = defaultModelWorker,
    threads,
    runTimeoutMs,
    openTimeoutMs = 120_000,
    onEvent,
    now = () => performance.now(),
  } = options;
  const { manifest } = model;
  const { name, version } = manifest;
  const queue = createSerialQueue();
  const life = new AbortController();
  let ladder: FallbackChain | undefined =
    options.executionProviders && startFallbackChain(fitting(options.executionProviders), now());
  let current: HostedModel | undefined;
  let opening: Promise<HostedModel> | undefined;
  let leaving: Promise<unknown> = Promise.resolve();
  let climbing: Promise<void> | undefined;
  let climbTimer: unknown;
  let lastFailure: ModelFailure | undefined;
  let failedAt: number | undefined;
  let failures = 0;
  let disposing: Promise<void> | undefined;

  function fitting(providers: readonly ExecutionProvider[]): readonly Backend[] {
    return providers.filter((provider) => variantsFor(manifest, provider).length > 0);
  }
  const tell = (event: SupervisorEvent): void => callListener(onEvent, event);

  /**
   * Opens the model on a backend. `suspect` runs its golden case first: a device that was lost may return
   * zeros.
   */
  const openOn = async (
    backend: Exclude<Backend, "cloud">,
    { suspect }: { readonly suspect: boolean },
  ): Promise<OpenedModel> => {
    const { signal } = life;
    let hosted: HostedModel | undefined;
    const stop = (): void => void hosted?.kill();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const shaderF16 =
        backend === "webgpu" &&
        manifest.variants.some(({ precision }) => precision === "float16") &&
        (await hasShaderF16());
      const variant = selectVariant(manifest, { backend, shaderF16 });
      if (!variant)
        throw new SednaError(
          `open the model ${name} on ${backend}: expected a GPU with shader-f16; got one without`,
          { code: "unsupported-platform" },
        );
      const read = async (path: string): Promise<Uint8Array> => {
        const bytes = await model.read(path, { signal });
        // A view of a larger buffer cannot be transferred alone.
        return bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice();
      };
      const bytes = await read(variant.file);
      const externalData = await Promise.all(
        (variant.externalData ?? []).map(async (path) => ({ path, data: await read(path) })),
      );
      signal.throwIfAborted();
      const toOpen = { model: bytes, externalData, task: manifest.task, executionProvider: backend, threads };
      const opened = await openHostedModel({
        worker: createWorker(),
        backend,
        model: toOpen,
        runTimeoutMs,
        openTimeoutMs,
        signal,
        now,
      });
      hosted = opened.hosted;
      if (!hosted) return opened;
      signal.throwIfAborted();
      if (suspect) {
        const { ask } = hosted;
        const { mismatch } = await checkGolden({ run: (feeds) => ask(({ run }) => run(feeds)) }, model, {
          maxCases: 1,
          signal,
        });
        if (mismatch) {
          void hosted.kill();
          return { failure: { reason: "wrong-output", error: mismatch } };
        }
      }
      return { hosted };
    } catch (error) {
      void hosted?.kill();
      return { failure: hosted?.failureOf(error) ?? { reason: "open-failed", error } };
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };

  const advance = (event: FallbackEvent): void => {
    ladder = advanceFallbackChain(ladder!, event);
    clearTimeout(climbTimer);
    if (ladder.retryAt !== null && !disposing)
      climbTimer = setTimeout(startRetry, Math.max(0, ladder.retryAt - now()));
  };
  const failed = (failure: ModelFailure, { final }: { readonly final: boolean }): void => {
    const from = backendOf(ladder!);
    const at = now();
    lastFailure = failure;
    failures++;
    failedAt ??= at;
    advance({ type: "failed", at, final });
    tell({
      type: "model-failed",
      model: name,
      version,
      reason: failure.reason,
      from,
      to: backendOf(ladder!),
      error: toPlainError(failure.error),
    });
  };
  /** Ends a failed model, once, and starts to open another before the next sample needs it. */
  const retire = (hosted: HostedModel, failure: ModelFailure): void => {
    if (hosted !== current || disposing) return;
    current = undefined;
    leaving = waitAtMost(hosted.kill(), MEMORY_BACK_MS);
    failed(failure, { final: false });
    ready().catch(() => {});
  };
  const use = (hosted: HostedModel, started: number): void => {
    current = hosted;
    void hosted.failed.then((failure) => retire(hosted, failure));
    tell({ type: "model-opened", model: name, version, backend: hosted.backend, ms: now() - started });
  };

  /** Opens the model on the current backend of the chain, and falls back to the next ones if that fails. */
  const openNext = async (): Promise<HostedModel> => {
    ladder ??= startFallbackChain(fitting(await defaultProviders()), now());
    for (;;) {
      await leaving;
      if (disposing) throw disposed();
      // A switch may have completed meanwhile.
      if (current) return current;
      const backend = backendOf(ladder);
      if (backend === "cloud") throw unavailable(lastFailure?.error);
      const started = now();
      const { hosted, failure } = await openOn(backend, {
        suspect: lastFailure !== undefined && backend === "webgpu",
      });
      if (disposing) {
        await hosted?.kill();
        throw disposed();
      }
      // Ignore the result: the supervisor has switched to another backend.
      if (backendOf(ladder) !== backend) void hosted?.kill();
      else if (failure) failed(failure, { final: isFinal(failure.error) });
      else use(hosted, started);
    }
  };
  const ready = (): Promise<HostedModel> => {
    if (disposing) return Promise.reject(disposed());
    if (current) return Promise.resolve(current);
    opening ??= openNext().finally(() => (opening = undefined));
    return opening;
  };

  /**
   * Opens the model on the next better backend while the current one runs, and switches to it between two
   * samples.
   */
  const retryBetter = async (): Promise<void> => {
    const to = ladder!.index - 1;
    const backend = ladder!.backends[to] as Exclude<Backend, "cloud">;
    const started = now();
    const { hosted, failure } = await openOn(backend, { suspect: true });
    if (disposing) return hosted?.kill();
    if (failure) {
      const stays = backendOf(ladder!);
      advance({ type: "retry-failed", at: now(), to });
      tell({
        type: "model-failed",
        model: name,
        version,
        reason: failure.reason,
        from: backend,
        to: stays,
        error: toPlainError(failure.error),
      });
      return;
    }
    const takeOver = async (): Promise<void> => {
      const former = current;
      advance({ type: "retry-succeeded", at: now(), to });
      use(hosted, started);
      void former?.end();
    };
    await queue.run(takeOver).catch(() => hosted.kill());
  };

  const startRetry = (): void => {
    // One at a time. The end of the current attempt schedules the next one.
    climbing ??= retryBetter().finally(() => (climbing = undefined));
  };

  /** Calls the model, and calls it once more if it fails meanwhile. */
  const ask = async <T>(
    question: (answers: WorkerResponses) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const hosted = await ready();
      signal?.throwIfAborted();
      try {
        const answer = await hosted.ask(question);
        if (failedAt !== undefined) {
          tell({
            type: "model-recovered",
            model: name,
            version,
            backend: hosted.backend,
            ms: now() - failedAt,
          });
          failedAt = undefined;
        }
        return answer;
      } catch (error) {
        if (disposing) throw disposed();
        const failure = hosted.failureOf(error);
        if (failure) retire(hosted, failure);
        signal?.throwIfAborted();
        if (!failure || tries === 2) throw error;
      }
    }
  };
  const inTurn = <T>(
    question: (answers: WorkerResponses) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> =>
    abortable(
      queue.run(() => ask(question, signal), signal ? { signal } : {}),
      signal,
    );

  const dispose = (): Promise<void> => {
    disposing ??= (async () => {
      life.abort(disposed());
      clearTimeout(climbTimer);
      const drained = queue.close();
      await Promise.all([current?.end(), opening?.catch(() => {}), climbing]);
      await drained;
    })();
    return disposing;
  };

  return {
    manifest,
    get backend() {
      return current?.backend ?? (ladder ? backendOf(ladder) : "cloud");
    },
    get failures() {
      return failures;
    },
    async load({ signal } = {}): Promise<EstimatorMetadata> {
      signal?.throwIfAborted();
      return (await abortable(ready(), signal)).metadata;
    },
    predict: (sample, { signal } = {}) =>
      inTurn(({ predict }) => predict(sample, { signal }) as Promise<Result>, signal),
    run: (feeds, { signal } = {}) => inTurn(({ run }) => run(feeds, { signal }), signal),
    dispose,
    [Symbol.asyncDispose]: dispose,
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
