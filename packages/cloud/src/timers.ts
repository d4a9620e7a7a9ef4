/** Functions that schedule callbacks. Tests pass a manual clock. */
export interface Timers {
  set(callback: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

/** Returns the timers of the engine. */
export const engineTimers = (): Timers => ({
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (timer) => clearTimeout(timer),
});

/**
 * Returns a clock in Unix ms that never jumps: the wall clock at the start, advanced by the engine's
 * monotonic clock.
 */
export function monotonicClock(): () => number {
  const start = Date.now() - performance.now();
  return () => start + performance.now();
}
