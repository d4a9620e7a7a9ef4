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
