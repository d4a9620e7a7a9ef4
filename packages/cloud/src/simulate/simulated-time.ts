import type { Timers } from "../timers.ts";

/** Time that goes on only when nothing is left to do at a moment; see {@link createSimulatedTime}. */
export interface SimulatedTime {
  /** Unix ms. */
  now(): number;
  /** What wakes somebody at a time; each is awaited before the next. */
  at(time: number, work: () => void | Promise<void>): void;
  /** The same as timers. */
  readonly timers: Timers & { set(work: () => void | Promise<void>, ms: number): unknown };
  /** Goes from one to the next until it is done, or nothing is left. Throws what the work throws. */
  run(isDone: () => boolean): Promise<void>;
}

interface Entry {
  readonly time: number;
  /** Of two at one time the one that was set first comes first: the same run is the same again. */
  readonly order: number;
  work: (() => void | Promise<void>) | undefined;
}

const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

/** A clock that starts at `start` and costs no waiting. */
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
