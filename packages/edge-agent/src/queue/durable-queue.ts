import type { QueueEntry } from "./queue-store.ts";

/** What happens to a new item when the queue is full. */
export type WhenFull = "reject-new" | "drop-oldest" | "drop-lowest-priority";

/** Why an item was lost, or never taken; "lost" is one whose body the store had no more. */
export type DropReason = "full" | "expired" | "storage-full" | "rejected" | "lost";

/** What a queue tells. */
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

/** How full a queue is, and what it has seen since it was opened. */
export interface QueueStatistics {
  readonly items: number;
  /** Of all bodies. */
  readonly bytes: number;
  /** Of the oldest item, in ms; 0 when empty. */
  readonly oldestAgeMs: number;
  readonly queuedNumber: number;
  readonly sentNumber: number;
  readonly droppedNumber: Readonly<Record<DropReason, number>>;
  /** False where items live in memory only, because the store refused. */
  readonly durable: boolean;
}

/** A bounded queue that survives the process. */
export interface DurableQueue {
  /** Resolves when the item is stored, with its id, or with why it was not taken. */
  enqueue(item: {
    readonly kind: string;
    readonly body: Uint8Array;
    readonly priority?: number;
    readonly ttlMs?: number;
  }): Promise<{ readonly id: string; readonly dropped?: DropReason }>;
  /** The item to send next and its body; undefined when none waits. It stays until it is settled. */
  next(): Promise<{ readonly entry: QueueEntry; readonly body: Uint8Array } | undefined>;
  /** Takes an item off for good: it was sent, or the receiver never wants it. */
  settle(id: string, outcome: "sent" | "duplicate" | "rejected"): Promise<void>;
  /** Gives back what `next` handed out, to be handed out again: its sender stops. */
  release(id: string): void;
  stats(): QueueStatistics;
  /** Ends the queue and its store. A second call does nothing. */
  close(): Promise<void>;
}
