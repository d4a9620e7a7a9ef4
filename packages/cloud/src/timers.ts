/** What wakes somebody later. Tests pass a clock of their own. */
export interface Timers {
  set(callback: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

/** Those of the engine. */
export const engineTimers = (): Timers => ({
  set: (callback, ms) => setTimeout(callback, ms),
  clear: (timer) => clearTimeout(timer),
});

/** Unix ms that never jump: the wall clock as it was at first, and from there the engine's own. */
export function monotonicClock(): () => number {
  const start = Date.now() - performance.now();
  return () => start + performance.now();
}
