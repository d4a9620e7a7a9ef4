import type { Timers } from "../timers.ts";

/**
 * A clock that advances only when all tasks of the current moment are done; see {@link createSimulatedTime}.
 */
export interface SimulatedTime {
  /** Unix time, in ms. */
  now(): number;
  /** Schedules a task at a time. Each task is awaited before the next one runs. */
  at(time: number, work: () => void | Promise<void>): void;
  /** Schedules tasks after a delay, in ms. */
  readonly timers: Timers & { set(work: () => void | Promise<void>, ms: number): unknown };
  /**
   * Runs the scheduled tasks in order until `isDone` returns true or no task is left. Throws a task's error.
   */
  run(isDone: () => boolean): Promise<void>;
}

interface Entry {
  readonly time: number;
  /**
   * Of two entries with the same time, the one that was set first runs first, so that runs are reproducible.
   */
  readonly order: number;
  work: (() => void | Promise<void>) | undefined;
}

const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

/** Creates a simulated clock that starts at `start`, in ms, and advances without waiting. */
export function createSimulatedTime({ start = 0 }: { readonly start?: number } = {}): SimulatedTime {
  /** A binary heap: the entry at i comes before those at 2i+1 and 2i+2. */
  const heap: Entry[] = [];
  let time = start;
  let made = 0;

  const push = (entry: Entry): void => {
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  };
  const pop = (): Entry | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  };
  const set = (when: number, work: () => void | Promise<void>): Entry => {
    const entry: Entry = { time: Math.max(time, when), order: made++, work };
    push(entry);
    return entry;
  };

  return {
    now: () => time,
    at: (when, work) => void set(when, work),
    timers: {
      set: (callback, ms) => set(time + Math.max(0, ms), callback),
      clear: (timer) => void ((timer as Entry).work = undefined),
    },
    async run(isDone) {
      while (!isDone()) {
        const entry = pop();
        if (entry === undefined) return;
        if (entry.work === undefined) continue;
        time = entry.time;
        await entry.work();
      }
    },
  };
}
