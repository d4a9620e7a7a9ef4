import { deleteDB, openDB } from "idb";
import { describe, expect, it, vi } from "vitest";
import { queueEntry, queueStoreSuite } from "../../../../../testing/suites/queue-store-suite.ts";
import { idbQueueStore } from "./idb-queue-store.browser.ts";

let number = 0;
const fresh = (): string => `queue-${performance.timeOrigin}-${number++}`;

queueStoreSuite("IndexedDB", async () => {
  const name = fresh();
  return () => idbQueueStore({ name });
});

describe("idbQueueStore", () => {
  it("reopens a database that was deleted while open, without its items, and continues to store", async () => {
    const name = fresh();
    const store = idbQueueStore({ name });
    const { epoch } = await store.open();
    await store.put(queueEntry(1, { bytes: 1 }), Uint8Array.of(1));
    await deleteDB(name);
    expect(await store.read("gate-1-1")).toBeUndefined();
    await store.put(queueEntry(2, { bytes: 1 }), Uint8Array.of(2));
    await store.close();
    const again = idbQueueStore({ name });
    expect(await again.open()).toMatchObject({ epoch, entries: [{ sequence: 2 }] });
    await again.close();
  });

  it("reopens the database once for all calls that find it closed, and leaves no connection open", async () => {
    const opens = vi.spyOn(IDBFactory.prototype, "open");
    try {
      const store = idbQueueStore({ name: fresh() });
      await store.open();
      await store.put(queueEntry(1, { bytes: 1 }), Uint8Array.of(1));
      const [request] = opens.mock.results;
      (request!.value as IDBOpenDBRequest).result.close();
      const bodies = await Promise.all(Array.from({ length: 5 }, () => store.read("gate-1-1")));
      expect(bodies).toEqual(Array.from({ length: 5 }, () => Uint8Array.of(1)));
      expect(opens).toHaveBeenCalledTimes(2);
      await store.close();
    } finally {
      opens.mockRestore();
    }
  });

  it("rejects with storage-failed if the database has a later version", async () => {
    const name = fresh();
    (await openDB(name, 2)).close();
    await expect(idbQueueStore({ name }).open()).rejects.toMatchObject({ code: "storage-failed" });
  });

  it("skips invalid entries, reports them, and starts a new epoch", async () => {
    const name = fresh();
    const store = idbQueueStore({ name });
    const { epoch } = await store.open();
    await store.put(queueEntry(1, { bytes: 1 }), Uint8Array.of(1));
    await store.close();
    const raw = await openDB(name, 1);
    await raw.put("entries", { sequence: "two" }, "gate-1-2");
    raw.close();
    const again = idbQueueStore({ name });
    const stored = await again.open();
    expect(stored).toMatchObject({ damagedNumber: 1, entries: [{ sequence: 1 }] });
    expect(stored.epoch).not.toBe(epoch);
    await again.close();
  });
});
