import { describe, expect, it } from "vitest";
import { SednaError } from "@sedna-js/core";
import { memoryQueueStore } from "./stores/memory-queue-store.ts";
import { openQueue } from "./open-queue.ts";
import type { QueueStore } from "./queue-store.ts";
import { body, drain, workbench } from "./queue-workbench.suite.ts";

describe("a full store", () => {
  it("evicts items once, by the policy, and stores the new item", async () => {
    const { open, events } = workbench(memoryQueueStore({ maxBytes: 100 }));
    const queue = await open({ whenFull: "drop-lowest-priority" });
    for (const [i, priority] of [3, 1, 2, 1].entries())
      await queue.enqueue({ kind: `${i}`, priority, body: body(25) });
    expect(await queue.enqueue({ kind: "new", priority: 2, body: body(25) })).not.toHaveProperty("dropped");
    expect(queue.stats()).toMatchObject({ items: 4, durable: true, droppedNumber: { "storage-full": 1 } });
    expect(events.filter(({ type }) => type === "queue-degraded")).toEqual([]);
    expect(await drain(queue)).toEqual(["0", "2", "new", "3"]);
    await queue.close();
  });

  it("keeps a limited number of items in memory if eviction does not help, and moves them to the store later", async () => {
    const inner = memoryQueueStore();
    const disk = { isFull: false };
    const store: QueueStore = {
      ...inner,
      put: (entry, bytes) =>
        disk.isFull
          ? Promise.reject(
              new SednaError("store an item: no space", { code: "storage-full", retryable: true }),
            )
          : inner.put(entry, bytes),
    };
    const { open, events, pass } = workbench(store);
    const queue = await open({ memory: { items: 3, bytes: 1000 } });
    for (let i = 0; i < 10; i++) await queue.enqueue({ kind: `old${i}`, body: body(10) });
    disk.isFull = true;
    for (let i = 0; i < 6; i++) {
      pass(10_000);
      await queue.enqueue({ kind: `new${i}`, body: body(10) });
    }
    // An eighth of the stored items was evicted once, in vain. Then three of the six new items fit in memory.
    expect(queue.stats()).toMatchObject({
      items: 11,
      durable: false,
      droppedNumber: { "storage-full": 5, full: 0 },
    });
    expect(events.filter(({ type }) => type === "queue-degraded")).toHaveLength(1);
    const first = await queue.next();
    expect(first?.entry.kind).toBe("old2");
    disk.isFull = false;
    pass(1000);
    await queue.settle(first!.entry.id, "sent");
    expect(queue.stats().durable).toBe(true);
    expect(events.at(-1)?.type).toBe("queue-recovered");
    expect(await inner.read(first!.entry.id)).toBeUndefined();
    await queue.close();
    const again = await openQueue({ store: inner, deviceId: "gate-1" });
    expect(await drain(again)).toEqual([
      ...Array.from({ length: 7 }, (_, i) => `old${i + 3}`),
      "new3",
      "new4",
      "new5",
    ]);
    await again.close();
  });

  it("sends items that were never stored from memory, and counts those that are lost when it closes", async () => {
    const inner = memoryQueueStore();
    const { open, events } = workbench({
      ...inner,
      put: () =>
        Promise.reject(new SednaError("store an item: the disk is broken", { code: "storage-failed" })),
    });
    const queue = await open();
    for (const kind of ["a", "b"]) await queue.enqueue({ kind, body: body(1, 7) });
    const item = await queue.next();
    expect(item).toMatchObject({ entry: { kind: "a" }, body: Uint8Array.of(7) });
    await queue.settle(item!.entry.id, "sent");
    expect(queue.stats()).toMatchObject({ items: 1, durable: false });
    await queue.close();
    expect(events.at(-1)).toMatchObject({ type: "item-dropped", kind: "b", reason: "storage-full" });
  });
});
