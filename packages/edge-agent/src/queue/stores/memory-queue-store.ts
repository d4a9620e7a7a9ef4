import { randomHex } from "@sedna-js/core/wire";
import { SednaError } from "@sedna-js/core";
import { EPOCH_BYTES, type QueueEntry, type QueueMark, type QueueStore } from "../queue-store.ts";

/**
 * Creates a queue store in memory, for tests and for platforms where nothing can be written. Its items are
 * lost with the object; after `close` it can be opened again with the same items.
 */
export function memoryQueueStore({
  maxBytes = Infinity,
  epoch = randomHex(EPOCH_BYTES),
}: { readonly maxBytes?: number; readonly epoch?: string } = {}): QueueStore {
  const held = new Map<string, { readonly entry: QueueEntry; readonly body: Uint8Array }>();
  let bytes = 0;
  let lastSequence = 0;
  let lastMark: QueueMark | undefined;
  let isOpen = false;

  const refuseClosed = (action: string): void => {
    if (!isOpen)
      throw new SednaError(`${action}: expected an open store; got one that is closed`, { code: "disposed" });
  };

  return {
    async open() {
      if (isOpen)
        throw new SednaError("open the queue in memory: expected a closed store; got an open one", {
          code: "storage-failed",
        });
      isOpen = true;
      const entries = [...held.values()]
        .map(({ entry }) => entry)
        .toSorted((a, b) => a.sequence - b.sequence);
      return { entries, lastSequence, epoch, mark: lastMark, damagedNumber: 0 };
    },
    async put(entry, body) {
      refuseClosed("store an item");
      if (bytes + body.length > maxBytes)
        throw new SednaError(
          `store an item: expected free space for ${body.length} bytes; got ${maxBytes - bytes}`,
          { code: "storage-full", retryable: true },
        );
      held.set(entry.id, { entry, body: body.slice() });
      bytes += body.length;
      lastSequence = Math.max(lastSequence, entry.sequence);
    },
    async read(id) {
      refuseClosed("read an item");
      return held.get(id)?.body.slice();
    },
    async delete(ids) {
      refuseClosed("delete items");
      for (const id of ids) {
        bytes -= held.get(id)?.body.length ?? 0;
        held.delete(id);
      }
    },
    async mark(mark) {
      refuseClosed("store the clock mark");
      lastMark = mark;
    },
    async close() {
      isOpen = false;
    },
  };
}
