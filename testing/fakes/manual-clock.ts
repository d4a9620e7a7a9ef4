// Time that goes on only when a test says so, for rounds whose deadlines must not depend on how fast the
// machine is.

/** See {@link manualClock}. */
export interface ManualClock {
  now(): number;
  readonly timers: { set(callback: () => void, ms: number): unknown; clear(timer: unknown): void };
  /** Lets so much time go by; timers ring in order, those that they set too. */
  advance(ms: number): void;
}

/** A clock that starts at the given time. */
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
