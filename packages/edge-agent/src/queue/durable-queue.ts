import type { QueueEntry } from "./queue-store.ts";

/** Policy for a new item when the queue is full. */
export type OverflowPolicy = "reject-new" | "drop-oldest" | "drop-lowest-priority";

/** Why an item was dropped or not accepted. `lost`: the store no longer has its body. */
export type DropReason = "full" | "expired" | "storage-full" | "rejected" | "lost";

/** Events of a queue. */
export type QueueEvent =
  | { readonly type: "item-queued"; readonly id: string; readonly kind: string; readonly bytes: number }
  | {
      readonly type: "item-sent";
      readonly id: string;
      readonly kind: string;
      readonly bytes: number;
      readonly duplicate: boolean;
    }
  | {
      readonly type: "item-dropped";
      readonly id: string;
      readonly kind: string;
      readonly bytes: number;
      readonly reason: DropReason;
    }
  | { readonly type: "queue-degraded"; readonly message: string }
  | { readonly type: "queue-recovered"; readonly message: string };

/** Fill level of a queue, and its counts since it was opened. */
export interface QueueStatistics {
  readonly items: number;
  /** Total size of all bodies, in bytes. */
  readonly bytes: number;
  /** Age of the oldest item, in ms; 0 if the queue is empty. */
  readonly oldestAgeMs: number;
  readonly queuedNumber: number;
  readonly sentNumber: number;
  readonly droppedNumber: Readonly<Record<DropReason, number>>;
  /** `false` while items are in memory only, because the store failed. */
  readonly durable: boolean;
}

/** An item for a queue. */
export interface NewItem extends Pick<QueueEntry, "kind" | "privacyKind"> {
  readonly body: Uint8Array;
  /** Items of higher priority are sent first. Default 0. */
  readonly priority?: number;
  /** Time to live, in ms. Default: the queue's. */
  readonly ttlMs?: number;
}

/** A bounded queue that survives a restart. */
export interface DurableQueue {
  /** Resolves when the item is stored, with its id, or with the reason why it was not accepted. */
  enqueue(item: NewItem): Promise<{ readonly id: string; readonly dropped?: DropReason }>;
  /**
   * Leases the next item to send, with its body. `undefined` if none is pending. The item stays in the queue
   * until it is settled.
   */
  next(): Promise<{ readonly entry: QueueEntry; readonly body: Uint8Array } | undefined>;
  /** Removes an item permanently: it was sent, or the receiver rejected it. */
  settle(id: string, outcome: "sent" | "duplicate" | "rejected"): Promise<void>;
  /** Returns a leased item to the queue without settling it. */
  release(id: string): void;
  stats(): QueueStatistics;
  /**
   * Closes the queue and its store. Further calls of `close` have no effect; `enqueue`, `next`, and `settle`
   * reject with `disposed`.
   */
  close(): Promise<void>;
}
