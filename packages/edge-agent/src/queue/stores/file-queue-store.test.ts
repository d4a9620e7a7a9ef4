import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { queueEntry, queueStoreSuite } from "../../../../../testing/suites/queue-store-suite.ts";
import { fileQueueStore } from "./file-queue-store.node.ts";

const root = await mkdtemp(join(tmpdir(), "queue-"));
afterAll(() => rm(root, { recursive: true }));
const fresh = (): Promise<string> => mkdtemp(join(root, "q"));
const logs = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name.endsWith(".log")).toSorted();

queueStoreSuite("a directory", async () => {
  const directory = await fresh();
  return () => fileQueueStore({ directory });
});
queueStoreSuite("a directory with small segments and power-loss durability", async () => {
  const directory = await fresh();
  return () => fileQueueStore({ directory, segmentBytes: 4096, durability: "power" });
});

describe("fileQueueStore", () => {
  it("rejects a directory that is open, and names the process that has it open", async () => {
    const directory = await fresh();
    const store = fileQueueStore({ directory });
    await store.open();
    await expect(fileQueueStore({ directory }).open()).rejects.toMatchObject({
      code: "storage-failed",
      message: expect.stringContaining(`process ${process.pid} has`),
    });
    await store.close();
    const other = fileQueueStore({ directory });
    await other.open();
    await other.close();
  });

  it("takes over a lock whose process is gone, whose process started at another time, or whose content is invalid", async () => {
    const directory = await fresh();
    const gone = Number(
      execFileSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8" }),
    );
    for (const lock of [
      JSON.stringify({ pid: gone, started: "" }),
      JSON.stringify({ pid: process.pid, started: "another boot 1" }),
      "",
      "{",
    ]) {
      const [old = "lock.7"] = (await readdir(directory)).filter((name) => name.startsWith("lock"));
      await writeFile(join(directory, old), lock);
      const store = fileQueueStore({ directory });
      await store.open();
      await store.close();
      expect((await readdir(directory)).filter((name) => name.startsWith("lock"))).toEqual([
        `lock.${Number(old.slice(5)) + 1}`,
      ]);
    }
  });

  it.for([1, 2, 3, 4, 5])("lets only one of many concurrent opens succeed, round %i", async () => {
    const directory = await fresh();
    await writeFile(
      join(directory, "lock.1"),
      JSON.stringify({ pid: process.pid, started: "another boot 1" }),
    );
    const stores = Array.from({ length: 10 }, () => fileQueueStore({ directory }));
    const results = await Promise.allSettled(stores.map((store) => store.open()));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const store of stores) await store.close();
  });

  it("starts a new epoch if it was not closed, and continues the sequence", async () => {
    const directory = await fresh();
    const [first, second] = [fileQueueStore({ directory }), fileQueueStore({ directory })];
    const { epoch } = await first.open();
    await first.put(queueEntry(3, { bytes: 1 }), Uint8Array.of(1));
    await rm(join(directory, "lock.1"));
    expect(await second.open()).toMatchObject({
      lastSequence: 3,
      damagedNumber: 0,
      epoch: expect.not.stringMatching(epoch),
    });
    await second.close();
    await first.close();
  });

  it(
    "deletes segments without live items, cleans those with few, and restores no deleted item",
    { timeout: 30_000 },
    async () => {
      const directory = await fresh();
      const options = { directory, segmentBytes: 64 * 1024 };
      const store = fileQueueStore(options);
      await store.open();
      const put = (sequence: number): Promise<void> =>
        store.put(queueEntry(sequence, { bytes: 1000 }), new Uint8Array(1000).fill(sequence % 251));
      const keep = new Set<number>();
      for (let sequence = 1; sequence <= 3000; sequence++) {
        await put(sequence);
        // Keep every hundredth item, so that each segment has live items.
        if (sequence % 100 === 0) keep.add(sequence);
        else await store.delete([`gate-1-${sequence}`]);
      }
      const sizes = await Promise.all(
        (await logs(directory)).map(async (name) => (await stat(join(directory, name))).size),
      );
      expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(2 * 30 * 1200 + 3 * 64 * 1024);
      await store.close();

      const again = fileQueueStore(options);
      expect((await again.open()).entries.map(({ sequence }) => sequence)).toEqual([...keep]);
      for (const sequence of keep)
        expect(await again.read(`gate-1-${sequence}`)).toEqual(new Uint8Array(1000).fill(sequence % 251));
      await again.delete([...keep].map((sequence) => `gate-1-${sequence}`));
      await again.close();
      const last = fileQueueStore(options);
      expect(await last.open()).toMatchObject({ entries: [], lastSequence: 3000, damagedNumber: 0 });
      await last.close();
    },
  );

  it("restores no deleted item if its delete record is in a dead segment and an older segment is live", async () => {
    const directory = await fresh();
    const options = { directory, segmentBytes: 16 * 1024 };
    const store = fileQueueStore(options);
    await store.open();
    const put = (sequence: number): Promise<void> =>
      store.put(queueEntry(sequence, { bytes: 7000 }), new Uint8Array(7000));
    // The first segment holds item 1, which is deleted, and item 2, which stays. The second holds the delete
    // record of item 1, and deleted items.
    for (const sequence of [1, 2, 3]) await put(sequence);
    await store.delete(["gate-1-1"]);
    for (const sequence of [4, 5, 6]) await put(sequence);
    await store.delete(["gate-1-3", "gate-1-4", "gate-1-5"]);
    await store.close();
    const again = fileQueueStore(options);
    expect((await again.open()).entries.map(({ sequence }) => sequence)).toEqual([2, 6]);
    await again.close();
  });

  it("loses only the item with a flipped bit, reports it, and starts a new epoch", async () => {
    const directory = await fresh();
    const store = fileQueueStore({ directory });
    const { epoch } = await store.open();
    for (const sequence of [1, 2, 3])
      await store.put(queueEntry(sequence, { bytes: 100 }), new Uint8Array(100).fill(sequence));
    await store.close();
    const [log] = await logs(directory);
    const bytes = await readFile(join(directory, log!));
    const at = bytes.indexOf(Buffer.alloc(100, 2));
    bytes[at + 50]! ^= 4;
    await writeFile(join(directory, log!), bytes);
    const again = fileQueueStore({ directory });
    const stored = await again.open();
    expect(stored).toMatchObject({ damagedNumber: 1, lastSequence: 3 });
    expect(stored.entries.map(({ sequence }) => sequence)).toEqual([1, 3]);
    expect(stored.epoch).not.toBe(epoch);
    await again.close();
  });

  it("stores 1e5 small items and reopens them within seconds", async () => {
    const directory = await fresh();
    const store = fileQueueStore({ directory });
    await store.open();
    for (let start = 0; start < 1e5; start += 5000)
      await Promise.all(
        Array.from({ length: 5000 }, (_, i) =>
          store.put(queueEntry(start + i + 1, { bytes: 100 }), new Uint8Array(100)),
        ),
      );
    await store.close();
    const again = fileQueueStore({ directory });
    const begun = performance.now();
    const { entries } = await again.open();
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(entries).toHaveLength(1e5);
    await again.close();
  }, 60_000);
});
