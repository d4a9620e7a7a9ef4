// A queue in an array, for tests of code that sends items. It hands out, releases and settles items, and
// records all of it.
import type { DurableQueue } from "../../packages/edge-agent/src/queue/durable-queue.ts";
import type { QueueEntry } from "../../packages/edge-agent/src/queue/queue-store.ts";
import { writeSampleUpload } from "@sedna-js/core/wire";

/** See {@link arrayQueue}. */
export interface ArrayQueue extends Pick<DurableQueue, "next" | "settle" | "release"> {
  /** Adds an item and returns its id. */
  add(body?: Uint8Array, kind?: string): string;
  /** Ids of the pending items, including those handed out. */
  readonly waiting: readonly string[];
  /** Outcomes of the settled items, by id. */
  readonly settled: ReadonlyMap<string, string>;
}

/** Returns a sample that has not been stamped yet. */
export const unstampedSample = (payload: Uint8Array = Uint8Array.of(1, 2, 3), device = "cam"): Uint8Array =>
  writeSampleUpload({ head: { device, kind: "full", contentType: "image/jpeg", reason: "hard" }, payload });

/** Creates a queue of one device, first in, first out. */
export function arrayQueue({ device = "cam" }: { readonly device?: string } = {}): ArrayQueue {
  const items: { readonly entry: QueueEntry; readonly body: Uint8Array }[] = [];
  const lent = new Set<string>();
  const settled = new Map<string, string>();
  let sequence = 0;
  return {
    add(body = unstampedSample(undefined, device), kind = "sample") {
      const id = `${device}/${++sequence}`;
      items.push({
        entry: {
          id,
          sequence,
          kind,
          priority: 0,
          createdAt: 1_700_000_000_000 + sequence,
          ttlMs: 1e9,
          bytes: body.length,
        } as QueueEntry,
        body,
      });
      return id;
    },
    get waiting() {
      return items.map(({ entry }) => entry.id);
    },
    settled,
    async next() {
      const item = items.find(({ entry }) => !lent.has(entry.id));
      if (item) lent.add(item.entry.id);
      return item;
    },
    async settle(id, outcome) {
      const at = items.findIndex(({ entry }) => entry.id === id);
      if (at < 0) throw new Error(`settle ${id}: expected an item; got none`);
      items.splice(at, 1);
      lent.delete(id);
      settled.set(id, outcome);
    },
    release(id) {
      lent.delete(id);
    },
  };
}
