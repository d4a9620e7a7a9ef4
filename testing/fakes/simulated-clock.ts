// A clock for tests that advances only when everything that can happen at a moment has happened.
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../packages/edge-agent/src/queue/clock.ts";

/** See {@link simulatedClock}. */
export interface SimulatedClock extends Clock {
  /**
   * Advances from timer to timer, up to the given time or until `isDone`. `isBusy` returns whether real work
   * is still in progress.
   */
  run(options: {
    readonly until: number;
    readonly isDone?: () => boolean;
    readonly isBusy: () => boolean;
  }): Promise<void>;
}

/**
 * Timers fire in ticks of this length in ms, as coarse timers do, so that a moment has many events and a test
 * has few moments.
 */
const TICK_MS = 10;

/** Creates a clock that starts at 0. */
export function simulatedClock(): SimulatedClock {
  let time = 0;
  let made = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  return {
    now: () => time,
    setTimeout(callback, ms) {
      timers.set(++made, { at: Math.ceil((time + Math.max(0, ms)) / TICK_MS) * TICK_MS, callback });
      return made;
    },
    clearTimeout: (timer) => void timers.delete(timer as number),
    async run({ until, isDone = () => false, isBusy }) {
      while (true) {
        do await setImmediate();
        while (isBusy());
        if (isDone()) return;
        const next = Math.min(until, ...[...timers.values()].map(({ at }) => at));
        time = Math.max(time, next);
        if (time >= until) return;
        for (const [id, { at, callback }] of timers) {
          if (at > time) continue;
          timers.delete(id);
          callback();
        }
      }
    },
  };
}
