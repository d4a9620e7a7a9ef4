import type { QueueStore } from "./queue-store.ts";

/** Options of {@link openQueueStore}. */
export interface QueueStoreOptions {
  /** Of the IndexedDB database. Browsers. */
  readonly name: string;
  /** Where the log is kept. Node. */
  readonly directory?: string;
  /**
   * What an acknowledged item survives in Node: the death of the process (default), or the loss of power too.
   */
  readonly durability?: "process" | "power";
}

/**
 * Where a queue keeps what waits, on this platform: a directory in Node, IndexedDB in browsers. `openQueue`
 * opens it.
 * @throws {TypeError} in Node, without a directory.
 */
export declare function openQueueStore(options: QueueStoreOptions): QueueStore;
