import type { WhenFull } from "./durable-queue.ts";
import { createHeap, type Heap } from "./heap.ts";
import type { QueueEntry } from "./queue-store.ts";

/** One item of an open queue. */
export interface QueueItem {
  readonly entry: QueueEntry;
  /** Being stored, waiting for its turn, handed out to a sender, or gone. */
  state: "storing" | "waiting" | "leased" | "gone";
  /** Where it lives in memory only, because the store refused it. */
  body?: Uint8Array;
}

/** The items of a queue by each order that is asked for; see {@link createPendingItems}. */
export interface PendingItems {
  readonly size: number;
  readonly bytes: number;
  get(id: string): QueueItem | undefined;
  /** Counts an item; it can be taken only when it waits. */
  add(item: QueueItem): void;
  /** From now on it can be taken, dropped and expire. */
  wait(item: QueueItem): void;
  remove(item: QueueItem): void;
  /** Hands out the one to send next: largest priority, then oldest. */
  lease(): QueueItem | undefined;
  /** Takes out one that has waited longer than it may at this time of the queue's clock. */
  takeExpired(clockMs: number): QueueItem | undefined;
  /**
   * Takes out what makes way for `entry`, until it is enough. Where the policy lets nothing more go before
   * that, because everything else is on its way or worth more, it is undefined and nothing is taken out; or
   * with `part` what could be.
   */
  evict(
    isEnough: (freed: { readonly items: number; readonly bytes: number }) => boolean,
    options?: { readonly entry?: QueueEntry; readonly part?: boolean },
  ): readonly QueueItem[] | undefined;
  /** Of the oldest, on the queue's clock. */
  oldestQueuedAtMs(): number | undefined;
}

/**
 * Heaps over the same items. An item that is handed out or gone stays in them until it comes to the top, or
 * until there are twice as many such as others: so each operation costs log n on average.
 */
export function createPendingItems(whenFull: WhenFull): PendingItems {
  const items = new Map<string, QueueItem>();
  const older = (a: QueueItem, b: QueueItem): boolean => a.entry.sequence < b.entry.sequence;
  const heaps = {
    sending: createHeap<QueueItem>((a, b) =>
      a.entry.priority === b.entry.priority ? older(a, b) : a.entry.priority > b.entry.priority,
    ),
    dropping: createHeap<QueueItem>(
      whenFull === "drop-lowest-priority"
        ? (a, b) =>
            a.entry.priority === b.entry.priority ? older(a, b) : a.entry.priority < b.entry.priority
        : older,
    ),
    expiring: createHeap<QueueItem>((a, b) => expiresAt(a) < expiresAt(b)),
    oldest: createHeap<QueueItem>(older),
  };
  let bytes = 0;

  const isWaiting = (item: QueueItem): boolean => item.state === "waiting";
  const top = (heap: Heap<QueueItem>, isValid = isWaiting): QueueItem | undefined => {
    while (heap.size > 0 && !isValid(heap.peek()!)) heap.pop();
    return heap.peek();
  };
  const push = (heap: Heap<QueueItem>, item: QueueItem): void => {
    if (heap.size > 2 * items.size + 64) {
      const seen = new Set<QueueItem>();
      heap.retain((one) => one.state !== "gone" && !seen.has(one) && seen.add(one) !== undefined);
    }
    heap.push(item);
  };
  const remove = (item: QueueItem): void => {
    if (!items.delete(item.entry.id)) return;
    item.state = "gone";
    bytes -= item.entry.bytes;
  };

  return {
    get size() {
      return items.size;
    },
    get bytes() {
      return bytes;
    },
    get: (id) => items.get(id),
    add(item) {
      items.set(item.entry.id, item);
      bytes += item.entry.bytes;
      push(heaps.oldest, item);
    },
    wait(item) {
      item.state = "waiting";
      for (const heap of [heaps.sending, heaps.dropping, heaps.expiring]) push(heap, item);
    },
    remove,
    lease() {
      const item = top(heaps.sending);
      if (!item) return undefined;
      heaps.sending.pop();
      item.state = "leased";
      return item;
    },
    takeExpired(clockMs) {
      const item = top(heaps.expiring);
      if (!item || expiresAt(item) > clockMs) return undefined;
      remove(item);
      return item;
    },
    evict(isEnough, { entry, part = false } = {}) {
      // A set: one that was released may lie in the heap twice.
      const way = new Set<QueueItem>();
      const freed = { items: 0, bytes: 0 };
      while (!isEnough(freed)) {
        const item =
          whenFull === "reject-new"
            ? undefined
            : top(heaps.dropping, (one) => isWaiting(one) && !way.has(one));
        if (!item || (whenFull === "drop-lowest-priority" && entry && item.entry.priority > entry.priority)) {
          if (part) break;
          for (const one of way) heaps.dropping.push(one);
          return undefined;
        }
        heaps.dropping.pop();
        way.add(item);
        freed.items++;
        freed.bytes += item.entry.bytes;
      }
      for (const item of way) remove(item);
      return [...way];
    },
    oldestQueuedAtMs: () => top(heaps.oldest, (item) => item.state !== "gone")?.entry.queuedAtMs,
  };
}

const expiresAt = ({ entry }: QueueItem): number => entry.queuedAtMs + entry.ttlMs;
