// A queue in an array for tests of what sends: it hands out, takes back and settles, and remembers it all.
import type { DurableQueue } from "../../packages/edge-agent/src/queue/durable-queue.ts";
import type { QueueEntry } from "../../packages/edge-agent/src/queue/queue-store.ts";
import { writeSampleUpload } from "@sedna-js/core/wire";

/** See {@link arrayQueue}. */
export interface ArrayQueue extends Pick<DurableQueue, "next" | "settle" | "release"> {
  /** Puts an item in. Returns its id. */
  add(body?: Uint8Array, kind?: string): string;
  /** Ids that wait, those that are handed out included. */
  readonly waiting: readonly string[];
  /** What became of the others. */
  readonly settled: ReadonlyMap<string, string>;
}

/** A sample that waits to be stamped. */
export const waitingSample = (payload: Uint8Array = Uint8Array.of(1, 2, 3), device = "cam"): Uint8Array =>
  writeSampleUpload({ head: { device, kind: "full", contentType: "image/jpeg", reason: "hard" }, payload });

/** A queue of one device, first in first out. */
export function arrayQueue({ device = "cam" }: { readonly device?: string } = {}): ArrayQueue {
  const items: { readonly entry: QueueEntry; readonly body: Uint8Array }[] = [];
  const lent = new Set<string>();
  const settled = new Map<string, string>();
  let sequence = 0;
  return {
    add(body = waitingSample(undefined, device), kind = "sample") {
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
