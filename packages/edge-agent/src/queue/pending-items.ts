import type { OverflowPolicy } from "./durable-queue.ts";
import { createHeap, type Heap } from "./heap.ts";
import type { QueueEntry } from "./queue-store.ts";

/** An item of an open queue. */
export interface QueueItem {
  readonly entry: QueueEntry;
  /** State of the item: being stored, pending, leased to a sender, or removed. */
  state: "storing" | "waiting" | "leased" | "gone";
  /** The body, if the item is in memory only because the store rejected it. */
  body?: Uint8Array;
}

/** The items of a queue by each order that is asked for; see {@link createPendingItems}. */
export interface PendingItems {
  readonly size: number;
  readonly bytes: number;
  get(id: string): QueueItem | undefined;
  /** Adds an item to `size` and `bytes`. It becomes available with `wait`. */
  add(item: QueueItem): void;
  /** Makes an item available: from now on it can be leased, dropped, and expire. */
  wait(item: QueueItem): void;
  remove(item: QueueItem): void;
  /** Leases the next item to send: highest priority first, then oldest. */
  lease(): QueueItem | undefined;
  /** Removes and returns an item that has expired at this time of the queue's clock. */
  takeExpired(clockMs: number): QueueItem | undefined;
  /**
   * Removes items to make space for `entry`, until `isEnough` returns true. If the policy permits no further
   * removal before that, because all other items are leased or have a higher priority, it removes nothing and
   * returns `undefined`. With `part` it removes what it can.
   */
  evict(
    isEnough: (freed: { readonly items: number; readonly bytes: number }) => boolean,
    options?: { readonly entry?: QueueEntry; readonly part?: boolean },
  ): readonly QueueItem[] | undefined;
  /** Queuing time of the oldest item, on the queue's clock. */
  oldestQueuedAtMs(): number | undefined;
}

/**
 * Creates heaps over the same items. A leased or removed item stays in a heap until it reaches the top, or
 * until the heap has more than twice as many entries as there are items. So each operation takes O(log n) on
 * average.
 */
export function createPendingItems(whenFull: OverflowPolicy): PendingItems {
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
      // A set, because a released item may be in the heap twice.
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
