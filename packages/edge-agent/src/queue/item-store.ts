import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { DropReason, QueueEvent, OverflowPolicy } from "./durable-queue.ts";
import type { QueueStore } from "./queue-store.ts";
import type { QueueItem, PendingItems } from "./pending-items.ts";

/** Delay before a store that failed is tried again, in ms. */
const RETRY_MS = 1000;

/** Options of {@link createItemStore}. */
export interface ItemStoreOptions {
  readonly store: QueueStore;
  readonly waiting: PendingItems;
  readonly whenFull: OverflowPolicy;
  /** Limits of the items in memory while the store fails. */
  readonly memory: { readonly items: number; readonly bytes: number };
  readonly now: () => number;
  readonly onEvent: (event: QueueEvent) => void;
  /** Called for items that were dropped and are already removed. */
  readonly onDropped: (items: readonly QueueItem[], reason: DropReason) => void;
}

/** Keeps the items of a queue: in the store, or in memory while the store fails. */
export interface ItemStore {
  /** `false` while some items are in memory only. */
  readonly isDurable: boolean;
  /** Stores an item. Resolves with `false` if there is no space for it in the store or in memory. */
  keep(item: QueueItem, body: Uint8Array): Promise<boolean>;
  /** Returns the body of an item, or `undefined` if the store no longer has it. */
  body(item: QueueItem): Promise<Uint8Array | undefined>;
  /** Frees the storage of removed items. */
  forget(items: readonly QueueItem[]): Promise<void>;
  /**
   * Moves items from memory to the store if the store accepts them again. Tries at most once a second, unless
   * `atOnce` is set.
   */
  recover(options?: { readonly atOnce?: boolean }): Promise<void>;
  /** Returns the items in memory. */
  inMemory(): readonly QueueItem[];
}

type Spill = "none" | "part" | "whole";

/**
 * Creates the storage of a queue's items. If the store is full, it evicts items once; if that does not help,
 * it falls back to a bounded memory.
 */
export function createItemStore({
  store,
  waiting,
  whenFull,
  memory,
  now,
  onEvent,
  onDropped,
}: ItemStoreOptions): ItemStore {
  const held = new Map<string, QueueItem>();
  let heldBytes = 0;
  let isDegraded = false;
  let triedAt = -Infinity;
  /** Set while the store is not tried, so that not every item tries it in vain. */
  let isLeftAlone = false;
  /** The eviction in progress, shared by all items that find the store full meanwhile. */
  let relieving: Promise<Spill> | undefined;
  /**
   * Set after an eviction until the store accepts an item. If it accepts none, something else fills the disk,
   * and further evictions would lose items for nothing.
   */
  let isRelieved = false;
  let recovering: Promise<void> | undefined;

  const codeOf = (error: unknown): string => (error instanceof SednaError ? error.code : "storage-failed");
  const degrade = (error: unknown): void => {
    if (!isDegraded)
      onEvent({
        type: "queue-degraded",
        message: `items are in memory only: ${messageOf(error)}`,
      });
    isDegraded = true;
    triedAt = now();
  };
  const put = async (item: QueueItem, body: Uint8Array): Promise<void> => {
    await store.put(item.entry, body);
    isRelieved = false;
    isLeftAlone = false;
    if (isDegraded && held.size <= (held.has(item.entry.id) ? 1 : 0)) {
      isDegraded = false;
      onEvent({
        type: "queue-recovered",
        message: "the store accepts items again, and all items are stored",
      });
    }
  };

  /**
   * Releases an item from memory. Returns whether it was there. The queue's heaps may keep an item for a long
   * time, so its body is removed from it.
   */
  const release = (item: QueueItem): boolean => {
    if (!held.delete(item.entry.id)) return false;
    heldBytes -= item.entry.bytes;
    delete item.body;
    return true;
  };

  const forget = async (items: readonly QueueItem[]): Promise<void> => {
    const stored = items.filter((item) => !release(item)).map(({ entry }) => entry.id);
    try {
      if (stored.length > 0) await store.delete(stored);
    } catch (error) {
      // The items reappear after a restart and are sent twice. The receiver recognizes them by their ids.
      onEvent({
        type: "queue-degraded",
        message: `removed items stay in the store: ${messageOf(error)}`,
      });
    }
  };

  /**
   * Evicts an eighth of the stored bytes, or as much of it as the policy permits: a store frees space in
   * units larger than one item.
   */
  const spill = async (item: QueueItem): Promise<Spill> => {
    const wanted = Math.max(item.entry.bytes, (waiting.bytes - item.entry.bytes) / 8);
    let freedBytes = 0;
    const way =
      waiting.evict(({ items, bytes }) => (freedBytes = bytes) >= wanted && items > 0, {
        entry: item.entry,
        part: true,
      }) ?? [];
    isRelieved = freedBytes >= wanted;
    if (way.length === 0) return "none";
    onDropped(way, "storage-full");
    await forget(way);
    return isRelieved ? "whole" : "part";
  };

  const tryStore = async (item: QueueItem, body: Uint8Array): Promise<boolean> => {
    try {
      await put(item, body);
      return true;
    } catch (error) {
      let mayTryOthers = false;
      if (codeOf(error) === "storage-full" && (relieving !== undefined || !isRelieved)) {
        relieving ??= spill(item).finally(() => (relieving = undefined));
        const relief = await relieving;
        const isStored =
          relief !== "none" &&
          (await put(item, body).then(
            () => true,
            () => false,
          ));
        if (isStored) return true;
        // The policy evicts too little for this item, but may evict more for an item of higher priority.
        mayTryOthers = relief !== "whole" && whenFull === "drop-lowest-priority";
      }
      degrade(error);
      isLeftAlone = !mayTryOthers;
      return false;
    }
  };

  /** Selects the item in memory to evict for a new one, by the policy. It may be the new item itself. */
  const victimFor = (item: QueueItem): QueueItem => {
    const others = [...held.values()].filter((one) => one.state === "waiting");
    if (whenFull === "reject-new" || others.length === 0) return item;
    if (whenFull === "drop-oldest") return others[0]!;
    const lowest = others.reduce((a, b) => (b.entry.priority < a.entry.priority ? b : a));
    return lowest.entry.priority <= item.entry.priority ? lowest : item;
  };

  const keepInMemory = (item: QueueItem, body: Uint8Array): boolean => {
    if (item.entry.bytes > memory.bytes || memory.items < 1) return false;
    while (held.size + 1 > memory.items || heldBytes + item.entry.bytes > memory.bytes) {
      const victim = victimFor(item);
      if (victim === item) return false;
      waiting.remove(victim);
      release(victim);
      onDropped([victim], "storage-full");
    }
    // Copy the body: the caller may reuse its buffer.
    item.body = body.slice();
    held.set(item.entry.id, item);
    heldBytes += item.entry.bytes;
    return true;
  };

  const moveBack = async (): Promise<void> => {
    for (const item of held.values()) {
      try {
        await put(item, item.body!);
      } catch {
        return;
      }
      // If the item was no longer in memory, it was settled or dropped while it was being stored.
      if (!release(item)) await forget([item]);
    }
  };
  const isDue = (): boolean => now() - triedAt >= RETRY_MS;

  return {
    get isDurable() {
      return held.size === 0;
    },
    keep: async (item, body) =>
      ((!isLeftAlone || isDue()) && (await tryStore(item, body))) || keepInMemory(item, body),
    body: async (item) => item.body ?? store.read(item.entry.id),
    forget,
    async recover({ atOnce = false } = {}) {
      if (held.size === 0 || (!atOnce && !isDue())) return recovering;
      triedAt = now();
      recovering ??= moveBack().finally(() => (recovering = undefined));
      return recovering;
    },
    inMemory: () => [...held.values()],
  };
}
