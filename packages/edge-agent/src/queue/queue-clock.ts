import type { QueueMark } from "./queue-store.ts";

/** A clock that never jumps and continues after a restart. */
interface QueueClock {
  /**
   * Total time that the queue has been open in all runs, and between the runs as far as it is known, in ms.
   */
  now(): number;
  /** Returns the mark from which the next run continues. */
  mark(): QueueMark;
}

/**
 * Minimum duration of a restart, in ms. Otherwise items would never age if the wall clock starts at the same
 * time after each restart.
 */
const RESTART_MS = 1000;

/** Options of {@link queueClock}. */
interface QueueClockOptions {
  readonly last: QueueMark | undefined;
  readonly longestPauseMs: number;
  readonly now: () => number;
  readonly wallNow: () => number;
}

/**
 * Creates the clock of a queue. While the queue is open, it follows the monotonic clock. The time between two
 * runs comes from the wall clock, which may have jumped: a jump back counts as one second, and a jump ahead
 * counts as at most `longestPauseMs`, so that not all items expire at once.
 */
export function queueClock({ last, longestPauseMs, now, wallNow }: QueueClockOptions): QueueClock {
  const pause = last ? Math.max(RESTART_MS, Math.min(wallNow() - last.wallMs, longestPauseMs)) : 0;
  const start = (last?.queueMs ?? 0) + pause;
  const openedAt = now();
  const read = (): number => start + Math.max(0, now() - openedAt);
  return { now: read, mark: () => ({ queueMs: read(), wallMs: wallNow() }) };
}
