import type { Backend } from "./supervised-model.ts";

/**
 * Where a model runs now, what failed lately, and when something better is tried. Plain data; see {@link
 * advanceFallbackChain}.
 */
export interface FallbackChain {
  /** Best first; the last is `cloud`. */
  readonly backends: readonly Backend[];
  /** The rung in use. */
  readonly index: number;
  /** Since when it has been in use without a failure, in ms. */
  readonly since: number;
  /** Times of the failures on this rung that still count. */
  readonly failures: readonly number[];
  /** For each rung how long it was last left alone after it had failed, in ms; 0 where it never was. */
  readonly pauses: readonly number[];
  /** When the next better rung is tried; null on the best. */
  readonly retryAt: number | null;
}

/** What can happen on a ladder. Times are of one clock that never goes back. */
export type FallbackEvent =
  /** The model on the current rung failed. `final`: it would do so again. */
  | { readonly type: "failed"; readonly at: number; readonly final?: boolean }
  /** The better rung was tried in the background, and runs. */
  | { readonly type: "retry-succeeded"; readonly at: number; readonly to: number }
  /** The better rung was tried in the background, in vain. */
  | { readonly type: "retry-failed"; readonly at: number; readonly to: number };

/** Failures that a rung is allowed, and within which time. The next one leads to the rung below. */
export const RESTARTS: Readonly<Record<Backend, { readonly count: number; readonly withinMs: number }>> = {
  // A device that is lost twice is lost to this page: drivers and browsers block what keeps crashing.
  webgpu: { count: 1, withinMs: 300_000 },
  wasm: { count: 3, withinMs: 60_000 },
  cpu: { count: 3, withinMs: 60_000 },
  cloud: { count: 0, withinMs: 0 },
};

/**
 * How long a rung that failed is left alone at first, and at most: each time in vain takes twice as long.
 * Where nothing but the cloud is below it the first pause is short: what failed may have been a moment
 * without network, or one bad sample.
 */
export const PAUSE_MS = { first: 300_000, firstAboveCloud: 10_000, most: 3_600_000 } as const;

/** A rung that has held so long starts afresh with its pauses. */
export const FORGET_MS = 1_800_000;

/** A ladder of these rungs, standing on the best. `cloud` is added where it is not the last. */
export function startFallbackChain(backends: readonly Backend[], at: number): FallbackChain {
  const all = [...backends.filter((backend) => backend !== "cloud"), "cloud"] as const;
  return { backends: all, index: 0, since: at, failures: [], pauses: all.map(() => 0), retryAt: null };
}

/** The rung in use. */
export function backendOf({ backends, index }: FallbackChain): Backend {
  return backends[index]!;
}

/**
 * The ladder after an event. Down: a rung that fails more often than {@link RESTARTS} allows gives way to the
 * next; on `cloud` nothing runs here, so nothing fails. Up: after a pause the next better rung is tried, and
 * so on to the best.
 */
export function advanceFallbackChain(ladder: FallbackChain, event: FallbackEvent): FallbackChain {
  const { index } = ladder;
  const { at } = event;
  switch (event.type) {
    case "failed": {
      const backend = backendOf(ladder);
      if (backend === "cloud") return ladder;
      const { count, withinMs } = RESTARTS[backend];
      const failures = [...ladder.failures.filter((time) => at - time < withinMs), at];
      if (!event.final && failures.length <= count) return { ...ladder, since: at, failures };
      const pauses = paused(ladder, { backend: index, afresh: at - ladder.since >= FORGET_MS });
      return { ...ladder, index: index + 1, since: at, failures: [], pauses, retryAt: at + pauses[index]! };
    }
    case "retry-succeeded": {
      // Something better may have come about meanwhile.
      if (event.to >= index) return ladder;
      const above = ladder.pauses[event.to - 1] ?? 0;
      return {
        ...ladder,
        index: event.to,
        since: at,
        failures: [],
        retryAt: event.to === 0 ? null : at + Math.max(above, firstPause(ladder, event.to - 1)),
      };
    }
    case "retry-failed": {
      if (event.to >= index) return ladder;
      const pauses = paused(ladder, { backend: event.to, afresh: false });
      return { ...ladder, pauses, retryAt: index === 0 ? null : at + pauses[event.to]! };
    }
    default:
      return event satisfies never;
  }
}

/** The pauses after a rung has failed once more. */
function paused(
  ladder: FallbackChain,
  { backend, afresh }: { readonly backend: number; readonly afresh: boolean },
): readonly number[] {
  const last = afresh ? 0 : ladder.pauses[backend]!;
  return ladder.pauses.with(
    backend,
    Math.max(firstPause(ladder, backend), Math.min(2 * last, PAUSE_MS.most)),
  );
}

function firstPause({ backends }: FallbackChain, backend: number): number {
  return backends[backend + 1] === "cloud" ? PAUSE_MS.firstAboveCloud : PAUSE_MS.first;
}
