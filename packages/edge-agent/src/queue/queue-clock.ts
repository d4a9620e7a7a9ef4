import type { QueueMark } from "./queue-store.ts";

/** A clock that never jumps and goes on after a restart. */
interface QueueClock {
  /** Milliseconds that the queue has been open in all its runs, and those between as far as they can be told. */
  now(): number;
  /** What the next run needs. */
  mark(): QueueMark;
}

/** What a restart takes at least: with a wall clock that begins at the same time after each, items would never age. */
const RESTART_MS = 1000;

/** Options of {@link queueClock}. */
interface QueueClockOptions {
  readonly last: QueueMark | undefined;
  readonly longestPauseMs: number;
  readonly now: () => number;
  readonly wallNow: () => number;
}

/**
 * While a queue is open its clock is the monotonic one. How long it was not open only the wall clock can tell, which may have jumped
 * meanwhile: back, and it counts as a moment; ahead, and it counts as `longestPauseMs` at most, so that not
 * everything expires at once.
 */
export function queueClock({ last, longestPauseMs, now, wallNow }: QueueClockOptions): QueueClock {
  const pause = last ? Math.max(RESTART_MS, Math.min(wallNow() - last.wallMs, longestPauseMs)) : 0;
  const start = (last?.queueMs ?? 0) + pause;
  const openedAt = now();
  const read = (): number => start + Math.max(0, now() - openedAt);
  return { now: read, mark: () => ({ queueMs: read(), wallMs: wallNow() }) };
}
