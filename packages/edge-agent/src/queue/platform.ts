import type { QueueStore } from "./queue-store.ts";

/** Options of {@link openQueueStore}. */
export interface QueueStoreOptions {
  /** Browsers: name of the IndexedDB database. */
  readonly name: string;
  /** Node: directory of the log. */
  readonly directory?: string;
  /** Node: what an acknowledged item survives: a crash of the process (default), or also a loss of power. */
  readonly durability?: "process" | "power";
}

/**
 * Creates the store of a queue on this platform: a directory in Node, IndexedDB in browsers. `openQueue`
 * opens it.
 *
 * @throws {TypeError} In Node, if `directory` is missing.
 */
export declare function openQueueStore(options: QueueStoreOptions): QueueStore;
