import type { DurableQueue, QueueEvent } from "./durable-queue.ts";
import { memoryQueueStore } from "./stores/memory-queue-store.ts";
import { openQueue, type OpenQueueOptions } from "./open-queue.ts";
import type { QueueStore } from "./queue-store.ts";

// Shared helpers of the queue tests.

/** Returns a body of the given size. */
export const body = (bytes: number, fill = 0): Uint8Array => new Uint8Array(bytes).fill(fill);

/** A clock that a test controls, and queues that use it. */
export function workbench(store: QueueStore = memoryQueueStore()) {
  const time = { mono: 5000, wall: 1_700_000_000_000 };
  const events: QueueEvent[] = [];
  const open = (options: Partial<OpenQueueOptions> = {}) =>
    openQueue({
      store,
      deviceId: "gate-1",
      now: () => time.mono,
      wallNow: () => time.wall,
      onEvent: (event) => events.push(event),
      ...options,
    });
  const pass = (ms: number): void => {
    time.mono += ms;
    time.wall += ms;
  };
  /** A restart: the monotonic clock starts again. */
  const restart = (ms: number): void => {
    time.mono = 17;
    time.wall += ms;
  };
  return { time, events, open, pass, restart, store };
}

/** Sends all pending items. Returns their kinds in the order in which they were sent. */
export const drain = async (queue: DurableQueue): Promise<string[]> => {
  const kinds: string[] = [];
  for (let item = await queue.next(); item; item = await queue.next()) {
    kinds.push(item.entry.kind);
    await queue.settle(item.entry.id, "sent");
  }
  return kinds;
};
