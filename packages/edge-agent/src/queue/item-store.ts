import { SednaError } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import type { DropReason, QueueEvent, WhenFull } from "./durable-queue.ts";
import type { QueueStore } from "./queue-store.ts";
import type { QueueItem, PendingItems } from "./pending-items.ts";

/** How long a store that refused is left alone, in ms. */
const RETRY_MS = 1000;

/** Options of {@link createItemStore}. */
export interface ItemStoreOptions {
  readonly store: QueueStore;
  readonly waiting: PendingItems;
  readonly whenFull: WhenFull;
  /** What may live in memory when the store refuses. */
  readonly memory: { readonly items: number; readonly bytes: number };
  readonly now: () => number;
  readonly onEvent: (event: QueueEvent) => void;
  /** Counts items that are gone already. */
  readonly onDropped: (items: readonly QueueItem[], reason: DropReason) => void;
}

/** Where the items of a queue live: in the store, or while it refuses in memory. */
export interface ItemStore {
  /** False while some live in memory only. */
  readonly isDurable: boolean;
  /** Keeps an item; false where there is no room for it anywhere. */
  keep(item: QueueItem, body: Uint8Array): Promise<boolean>;
  /** The body; undefined where the store has it no more. */
  body(item: QueueItem): Promise<Uint8Array | undefined>;
  /** Gives up what items take that are gone. */
  forget(items: readonly QueueItem[]): Promise<void>;
  /** Moves to the store what lives in memory, where the store takes it again; at most once a second. */
  recover(options?: { readonly atOnce?: boolean }): Promise<void>;
  /** The items that live in memory. */
  inMemory(): readonly QueueItem[];
}

type Spill = "none" | "part" | "whole";

/**
 * Keeps items: makes room once where the store is full, and falls back on a bounded memory where that does
 * not help.
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
  /** The store is not asked for a while, so that it is not asked by each item, in vain. */
  let isLeftAlone = false;
  /** The making room that is under way, for all who found the store full meanwhile. */
  let relieving: Promise<Spill> | undefined;
  /**
   * Room was made, and the store has taken nothing since: what fills it is not ours, and more of ours would
   * be lost for nothing.
   */
  let isRelieved = false;
  let recovering: Promise<void> | undefined;

  const codeOf = (error: unknown): string => (error instanceof SednaError ? error.code : "storage-failed");
  const degrade = (error: unknown): void => {
    if (!isDegraded)
      onEvent({
        type: "queue-degraded",
        message: `items live in memory only: ${messageOf(error)}`,
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
      onEvent({ type: "queue-recovered", message: "the store takes items again, and has them all" });
    }
  };

  /**
   * Whether it was held. The queue's heaps may remember an item long after: its bytes must not stay with it.
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
      // They are back after a restart, and sent twice then: the receiver knows them by their ids.
      onEvent({
        type: "queue-degraded",
        message: `items that are gone stay in the store: ${messageOf(error)}`,
      });
    }
  };

  /**
   * Lets an eighth of what is stored go, or what the policy lets go of it: a store gives room back in pieces
   * larger than one item.
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
        // Not enough goes for this one; for one of a larger priority it may.
        mayTryOthers = relief !== "whole" && whenFull === "drop-lowest-priority";
      }
      degrade(error);
      isLeftAlone = !mayTryOthers;
      return false;
    }
  };

  /**
   * The item of those in memory that makes way for a new one, by the policy; the new one itself may be it.
   */
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
    // A copy: the caller may use its own again.
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
      // If not, it was settled or dropped while it was on its way into the store.
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
