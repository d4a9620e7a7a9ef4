import type { Backend } from "./supervised-model.ts";

/**
 * Where a model runs now, what failed lately, and when something better is tried. Plain data; see {@link
 * advanceFallbackChain}.
 */
export interface FallbackChain {
  /** Backends, best first. The last is `cloud`. */
  readonly backends: readonly Backend[];
  /** Position of the backend in use. */
  readonly index: number;
  /** Time since which the backend has been in use without a failure, in ms. */
  readonly since: number;
  /** Times of the recent failures of this backend. */
  readonly failures: readonly number[];
  /** The last retry delay of each backend after a failure, in ms; 0 if it has not failed. */
  readonly pauses: readonly number[];
  /** Time at which the next better backend is tried; `null` on the best one. */
  readonly retryAt: number | null;
}

/** Events of a fallback chain. Their times come from one monotonic clock. */
export type FallbackEvent =
  /** The model failed on the current backend. `final`: it would fail again. */
  | { readonly type: "failed"; readonly at: number; readonly final?: boolean }
  /** The better backend was opened in the background, and runs. */
  | { readonly type: "retry-succeeded"; readonly at: number; readonly to: number }
  /** The better backend was tried in the background, and failed. */
  | { readonly type: "retry-failed"; readonly at: number; readonly to: number };

/**
 * Number of failures that a backend may have within a time window. The next failure falls back to the next
 * backend.
 */
export const RESTARTS: Readonly<Record<Backend, { readonly count: number; readonly withinMs: number }>> = {
  // A device that is lost twice stays lost for this page: drivers and browsers block content that keeps
  // crashing.
  webgpu: { count: 1, withinMs: 300_000 },
  wasm: { count: 3, withinMs: 60_000 },
  cpu: { count: 3, withinMs: 60_000 },
  cloud: { count: 0, withinMs: 0 },
};

/**
 * First and maximum delay before a failed backend is retried, in ms. The delay doubles with each failed
 * attempt. If only the cloud is below a backend, its first delay is short: the cause may have been a short
 * network outage, or one bad sample.
 */
export const RETRY_DELAY_MS = { first: 300_000, firstAboveCloud: 10_000, most: 3_600_000 } as const;

/** Time in use without a failure after which the delay of a backend is reset, in ms. */
export const RESET_AFTER_MS = 1_800_000;

/** Creates a chain of these backends that starts on the best one. Appends `cloud` if it is not the last. */
export function startFallbackChain(backends: readonly Backend[], at: number): FallbackChain {
  const all = [...backends.filter((backend) => backend !== "cloud"), "cloud"] as const;
  return { backends: all, index: 0, since: at, failures: [], pauses: all.map(() => 0), retryAt: null };
}

/** Returns the backend in use. */
export function backendOf({ backends, index }: FallbackChain): Backend {
  return backends[index]!;
}

/**
 * Returns the chain after an event. Down: a backend that fails more often than {@link RESTARTS} allows is
 * replaced by the next one; on `cloud` nothing runs here, so nothing fails. Up: after a delay the next better
 * backend is tried, up to the best.
 */
export function advanceFallbackChain(chain: FallbackChain, event: FallbackEvent): FallbackChain {
  const { index } = chain;
  const { at } = event;
  switch (event.type) {
    case "failed": {
      const backend = backendOf(chain);
      if (backend === "cloud") return chain;
      const { count, withinMs } = RESTARTS[backend];
      const failures = [...chain.failures.filter((time) => at - time < withinMs), at];
      if (!event.final && failures.length <= count) return { ...chain, since: at, failures };
      const pauses = paused(chain, { backend: index, afresh: at - chain.since >= RESET_AFTER_MS });
      return { ...chain, index: index + 1, since: at, failures: [], pauses, retryAt: at + pauses[index]! };
    }
    case "retry-succeeded": {
      // A better backend may be in use meanwhile.
      if (event.to >= index) return chain;
      const above = chain.pauses[event.to - 1] ?? 0;
      return {
        ...chain,
        index: event.to,
        since: at,
        failures: [],
        retryAt: event.to === 0 ? null : at + Math.max(above, firstPause(chain, event.to - 1)),
      };
    }
    case "retry-failed": {
      if (event.to >= index) return chain;
      const pauses = paused(chain, { backend: event.to, afresh: false });
      return { ...chain, pauses, retryAt: index === 0 ? null : at + pauses[event.to]! };
    }
    default:
      return event satisfies never;
  }
}

/** Returns the delays after another failure of a backend. */
function paused(
  chain: FallbackChain,
  { backend, afresh }: { readonly backend: number; readonly afresh: boolean },
): readonly number[] {
  const last = afresh ? 0 : chain.pauses[backend]!;
  return chain.pauses.with(
    backend,
    Math.max(firstPause(chain, backend), Math.min(2 * last, RETRY_DELAY_MS.most)),
  );
}

function firstPause({ backends }: FallbackChain, backend: number): number {
  return backends[backend + 1] === "cloud" ? RETRY_DELAY_MS.firstAboveCloud : RETRY_DELAY_MS.first;
}
