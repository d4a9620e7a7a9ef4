import { callListener } from "@sedna-js/core/async";
import { toPlainError } from "@sedna-js/core/errors";
import type { ModelManifest } from "@sedna-js/core/wire";
import { defaultProviders, type ExecutionProvider } from "#platform/onnx";
import {
  advanceFallbackChain,
  backendOf,
  startFallbackChain,
  type FallbackChain,
  type FallbackEvent,
} from "./fallback-chain.ts";
import type { ModelFailure } from "./hosted-model.ts";
import { variantsFor } from "./select-variant.ts";
import type { Backend, SupervisorEvent } from "./supervised-model.ts";

/** Options of {@link createBackendHistory}. */
export interface BackendHistoryOptions {
  readonly manifest: ModelManifest;
  /** Execution providers, best first. Default: the useful ones of this device, known after `start`. */
  readonly executionProviders: readonly ExecutionProvider[] | undefined;
  readonly onEvent: ((event: SupervisorEvent) => void) | undefined;
  /** Called when the next better backend should be tried. */
  readonly onRetryDue: () => void;
  readonly now: () => number;
}

/** The backend that a model should use, and the failures that led to it; see {@link createBackendHistory}. */
export interface BackendHistory {
  /** The backend to use; `cloud` if no backend works here. */
  readonly backend: Backend;
  /** The next better backend, and its position in the chain. */
  readonly better: { readonly backend: ExecutionProvider; readonly to: number };
  /** Number of failures since the start. */
  readonly failures: number;
  /** The last failure of the backend in use. */
  readonly lastFailure: ModelFailure | undefined;
  /** Finds the execution providers of this device, if none were given. */
  start(): Promise<void>;
  /** A model was opened, after `ms`. */
  opened(backend: Backend, ms: number): void;
  /** The backend in use failed. `final`: it would fail again. */
  failed(failure: ModelFailure, options: { readonly final: boolean }): void;
  /** A better backend was opened, and replaces the one in use. */
  retrySucceeded(to: number): void;
  retryFailed(to: number, failure: ModelFailure): void;
  /** The model has answered a sample. */
  answered(backend: Backend): void;
  /** Stops the timer of the next retry. */
  end(): void;
}

/**
 * Creates the history of a model's backends. Invariants: a failure is counted and reported once; one timer at
 * most waits for the next retry of a better backend; `model-recovered` follows the first answer after a
 * failure.
 */
export function createBackendHistory({
  manifest,
  executionProviders,
  onEvent,
  onRetryDue,
  now,
}: BackendHistoryOptions): BackendHistory {
  const { name: model, version } = manifest;
  const fitting = (providers: readonly ExecutionProvider[]): readonly Backend[] =>
    providers.filter((provider) => variantsFor(manifest, provider).length > 0);
  let chain: FallbackChain | undefined =
    executionProviders && startFallbackChain(fitting(executionProviders), now());
  let timer: unknown;
  let ended = false;
  let failures = 0;
  let lastFailure: ModelFailure | undefined;
  let failedAt: number | undefined;

  const tell = (event: SupervisorEvent): void => callListener(onEvent, event);
  const advance = (event: FallbackEvent): void => {
    chain = advanceFallbackChain(chain!, event);
    clearTimeout(timer);
    if (chain.retryAt !== null && !ended) timer = setTimeout(onRetryDue, Math.max(0, chain.retryAt - now()));
  };
  const tellFailure = ({ reason, error }: ModelFailure, from: Backend): void =>
    tell({
      type: "model-failed",
      model,
      version,
      reason,
      from,
      to: backendOf(chain!),
      error: toPlainError(error),
    });

  return {
    get backend() {
      return chain ? backendOf(chain) : "cloud";
    },
    get better() {
      const to = chain!.index - 1;
      return { backend: chain!.backends[to] as ExecutionProvider, to };
    },
    get failures() {
      return failures;
    },
    get lastFailure() {
      return lastFailure;
    },
    async start() {
      chain ??= startFallbackChain(fitting(await defaultProviders()), now());
    },
    opened: (backend, ms) => tell({ type: "model-opened", model, version, backend, ms }),
    failed(failure, { final }) {
      const from = backendOf(chain!);
      const at = now();
      lastFailure = failure;
      failures++;
      failedAt ??= at;
      advance({ type: "failed", at, final });
      tellFailure(failure, from);
    },
    retrySucceeded: (to) => advance({ type: "retry-succeeded", at: now(), to }),
    retryFailed(to, failure) {
      advance({ type: "retry-failed", at: now(), to });
      tellFailure(failure, chain!.backends[to]!);
    },
    answered(backend) {
      if (failedAt === undefined) return;
      tell({ type: "model-recovered", model, version, backend, ms: now() - failedAt });
      failedAt = undefined;
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
