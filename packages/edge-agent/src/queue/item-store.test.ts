import { SednaError } from "@sedna-js/core";
import { expect, it } from "vitest";
import { createItemStore } from "./item-store.ts";
import { memoryQueueStore } from "./stores/memory-queue-store.ts";
import { createPendingItems, type QueueItem } from "./pending-items.ts";

it("releases the bodies of items removed from memory, which the queue's heaps may still reference", async () => {
  const waiting = createPendingItems("drop-oldest");
  const gone: QueueItem[] = [];
  const keeper = createItemStore({
    store: {
      ...memoryQueueStore(),
      put: () =>
        Promise.reject(new SednaError("store an item: the disk is broken", { code: "storage-failed" })),
    },
    waiting,
    whenFull: "drop-oldest",
    memory: { items: 1, bytes: 1000 },
    now: () => 0,
    onEvent: () => {},
    onDropped: (items) => gone.push(...items),
  });
  const items: QueueItem[] = [];
  for (const sequence of [1, 2]) {
    const item: QueueItem = {
      entry: {
        id: `gate-${sequence}`,
        sequence,
        kind: "sample",
        priority: 0,
        createdAt: 0,
        queuedAtMs: 0,
        ttlMs: 1000,
        bytes: 100,
      },
      state: "storing",
    };
    waiting.add(item);
    expect(await keeper.keep(item, new Uint8Array(100))).toBe(true);
    waiting.wait(item);
    items.push(item);
  }
  expect(gone).toEqual([items[0]]);
  expect(items.map(({ body }) => body?.length)).toEqual([undefined, 100]);
  waiting.remove(items[1]!);
  await keeper.forget([items[1]!]);
  expect(items[1]!.body).toBeUndefined();
  expect(keeper.isDurable).toBe(true);
});
