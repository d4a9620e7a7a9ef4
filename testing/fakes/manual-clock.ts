// A clock that advances only when a test says so, for rounds whose deadlines must not depend on the machine's
// speed.

/** See {@link manualClock}. */
export interface ManualClock {
  now(): number;
  readonly timers: { set(callback: () => void, ms: number): unknown; clear(timer: unknown): void };
  /** Advances the time, in ms. Timers fire in order, including those that other timers set. */
  advance(ms: number): void;
}

/** Creates a clock that starts at the given time, in ms. */
export function manualClock(start = 1_000_000): ManualClock {
  let time = start;
  let made = 0;
  const waiting = new Map<number, { readonly at: number; readonly callback: () => void }>();
  return {
    now: () => time,
    timers: {
      set(callback, ms) {
        waiting.set(++made, { at: time + ms, callback });
        return made;
      },
      clear: (timer) => void waiting.delete(timer as number),
    },
    advance(ms) {
      const end = time + ms;
      while (true) {
        const next = [...waiting]
          .filter(([, { at }]) => at <= end)
          .toSorted(([a, x], [b, y]) => x.at - y.at || a - b)[0];
        if (!next) break;
        waiting.delete(next[0]);
        time = Math.max(time, next[1].at);
        next[1].callback();
      }
      time = end;
    },
  };
}
