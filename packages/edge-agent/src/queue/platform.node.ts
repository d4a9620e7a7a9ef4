import type { QueueStoreOptions } from "./platform.ts";
import type { QueueStore } from "./queue-store.ts";
import { fileQueueStore } from "./stores/file-queue-store.node.ts";

export function openQueueStore({ name, directory, durability }: QueueStoreOptions): QueueStore {
  if (directory === undefined)
    throw new TypeError(`open the queue ${name}: expected a directory, which Node keeps it in; got none`);
  return fileQueueStore({ directory, ...(durability ? { durability } : {}) });
}
