import { expect, it } from "vitest";
import { queueEntry, queueStoreSuite } from "../../../../../testing/suites/queue-store-suite.ts";
import { memoryQueueStore } from "./memory-queue-store.ts";

queueStoreSuite("memory", async () => {
  const store = memoryQueueStore();
  return () => store;
});

it("a full memory store rejects with storage-full, and accepts items again after a delete", async () => {
  const store = memoryQueueStore({ maxBytes: 3 });
  await store.open();
  await store.put(queueEntry(1, { bytes: 2 }), new Uint8Array(2));
  await expect(store.put(queueEntry(2, { bytes: 2 }), new Uint8Array(2))).rejects.toMatchObject({
    code: "storage-full",
    retryable: true,
  });
  await store.delete(["gate-1-1"]);
  await store.put(queueEntry(3, { bytes: 3 }), new Uint8Array(3));
  expect(await store.read("gate-1-3")).toHaveLength(3);
});
