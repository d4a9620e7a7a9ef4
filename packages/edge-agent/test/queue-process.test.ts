import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileQueueStore } from "../src/queue/stores/file-queue-store.node.ts";
import { openQueue } from "../src/queue/open-queue.ts";
import type { QueueEvent } from "../src/queue/durable-queue.ts";

// The queue's log under SIGKILL and on a full disk.

const writer = fileURLToPath(new URL("fixtures/queue-writer.ts", import.meta.url));
const root = await mkdtemp(join(tmpdir(), "queue-process-"));
afterAll(() => rm(root, { recursive: true, force: true }));

/** Runs a writer, kills it `afterMs` after its first acknowledgments, and returns what it acknowledged. */
async function killedWriter(
  directory: string,
  { afterMs, atOnce }: { readonly afterMs: number; readonly atOnce: number },
): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ["--conditions=sedna-source", "--import", "tsx", writer, directory, String(atOnce), "3000"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (told === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    told += text;
  });
  const [, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once("close", (code, by) => resolve([code, by])),
  );
  expect(signal).toBe("SIGKILL");
  return told.split("\n").filter((line) => / \d+$/.test(line));
}

describe("C9: killed mid-write", () => {
  it.for([
    { afterMs: 20, atOnce: 1 },
    { afterMs: 137, atOnce: 8 },
    { afterMs: 400, atOnce: 64 },
  ])(
    "C9: killed after $afterMs ms with $atOnce concurrent items, every acknowledged item is stored once, three times in a row",
    async ({ afterMs, atOnce }) => {
      const directory = await mkdtemp(join(root, "k"));
      const acknowledged: string[] = [];
      for (let run = 0; run < 3; run++)
        acknowledged.push(...(await killedWriter(directory, { afterMs, atOnce })));
      expect(acknowledged.length).toBeGreaterThan(3);

      const store = fileQueueStore({ directory });
      const { entries, damagedNumber } = await store.open();
      expect(damagedNumber).toBe(0);
      const stored = new Set(entries.map(({ id }) => id));
      expect(stored.size).toBe(entries.length);
      expect(acknowledged.filter((line) => !stored.has(line.split(" ")[0]!))).toEqual([]);
      // Unacknowledged items may be stored too, but only those in progress at each kill.
      expect(entries.length - acknowledged.length).toBeLessThanOrEqual(3 * atOnce);
      for (const line of acknowledged) {
        const [id, fill] = line.split(" ");
        const body = await store.read(id!);
        if (body?.length !== 3000 || body.some((byte) => byte !== Number(fill)))
          throw new Error(`${id} differs from what was written`);
      }
      await store.close();
    },
  );
});

const small = join(root, "disk");
const mounted = { is: false, why: "" };
beforeAll(async () => {
  await mkdir(small);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", small], { stdio: "pipe" });
    mounted.is = true;
  } catch (error) {
    mounted.why = String(error);
  }
});
afterAll(() => (mounted.is ? void execFileSync("umount", ["-l", small], { stdio: "pipe" }) : undefined));

const onSmallDisk = async ({ skip }: { readonly skip: (why: string) => void }): Promise<string> => {
  if (!mounted.is) skip(`requires mounting a disk of 2 MB, as root: ${mounted.why}`);
  return mkdtemp(join(small, "q"));
};
const segmentBytes = 128 * 1024;
const bodyOf = (number: number): Uint8Array => new Uint8Array(30_000).fill(number % 251);

describe("C24: the disk is full", () => {
  it("C24: keeps stored items readable, removes a partial record, and stores again when there is space", async (context) => {
    const directory = await onSmallDisk(context);
    const store = fileQueueStore({ directory, segmentBytes });
    await store.open();
    const entry = (sequence: number) => ({
      id: `g-${sequence}`,
      sequence,
      kind: "a",
      priority: 0,
      createdAt: 1,
      queuedAtMs: 1,
      ttlMs: 1e9,
      bytes: 30_000,
    });
    let stored = 0;
    await expect(
      (async () => {
        for (;;) {
          await store.put(entry(stored + 1), bodyOf(stored + 1));
          stored++;
        }
      })(),
    ).rejects.toMatchObject({ code: "storage-full", retryable: true });
    expect(stored).toBeGreaterThan(40);
    for (let i = 1; i <= stored; i++) expect(await store.read(`g-${i}`)).toHaveLength(30_000);
    // A full disk can be opened too, without damaged entries.
    await store.close();
    const again = fileQueueStore({ directory, segmentBytes });
    const { entries, damagedNumber } = await again.open();
    expect({ number: entries.length, damagedNumber }).toEqual({ number: stored, damagedNumber: 0 });
    await expect(again.put(entry(900), bodyOf(900))).rejects.toMatchObject({ code: "storage-full" });
    // Delete every second entry, so that no segment is empty: cleaning uses the reserved disk space.
    await again.delete(entries.filter(({ sequence }) => sequence % 2 === 0).map(({ id }) => id));
    for (let i = 901; i < 901 + stored / 4; i++) await again.put(entry(i), bodyOf(i));
    await again.close();
    const last = fileQueueStore({ directory, segmentBytes });
    const opened = await last.open();
    expect(opened.entries.map(({ sequence }) => sequence)).toEqual([
      ...entries.map(({ sequence }) => sequence).filter((one) => one % 2 === 1),
      ...Array.from({ length: Math.ceil(stored / 4) }, (_, i) => 901 + i),
    ]);
    for (const { id, sequence } of opened.entries) expect((await last.read(id))?.[0]).toBe(sequence % 251);
    await last.close();
    await rm(directory, { recursive: true });
  });

  it("C7: quota exceeded: a queue on a full disk drops the lowest priority, accepts new items, and counts every loss", async (context) => {
    const directory = await onSmallDisk(context);
    const events: QueueEvent[] = [];
    const queue = await openQueue({
      store: fileQueueStore({ directory, segmentBytes }),
      deviceId: "gate-1",
      whenFull: "drop-lowest-priority",
      memory: { items: 0, bytes: 0 },
      onEvent: (event) => events.push(event),
    });
    for (let i = 0; i < 200; i++) await queue.enqueue({ kind: "a", priority: i % 10, body: bodyOf(i) });
    const { items, queuedNumber, droppedNumber, durable } = queue.stats();
    const before = events.filter(({ type }) => type === "item-dropped").length;
    expect({ durable, total: items + before, accepted: droppedNumber["storage-full"] }).toEqual({
      durable: true,
      total: 200,
      accepted: before,
    });
    expect(queuedNumber).toBeLessThanOrEqual(200);
    expect(items).toBeGreaterThan(35);
    await queue.close();
    const again = await openQueue({ store: fileQueueStore({ directory, segmentBytes }), deviceId: "gate-1" });
    expect(again.stats().items).toBe(items);
    const priorities: number[] = [];
    for (let item = await again.next(); item; item = await again.next()) {
      priorities.push(item.entry.priority);
      await again.settle(item.entry.id, "sent");
    }
    expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
    expect(priorities.filter((one) => one === 9)).toHaveLength(20);
    await again.close();
    await rm(directory, { recursive: true });
  });

  it("C24: on a disk filled by other files keeps new items in memory and stores them when there is space", async (context) => {
    const directory = await onSmallDisk(context);
    const time = { now: 0 };
    const open = () =>
      openQueue({
        store: fileQueueStore({ directory, segmentBytes }),
        deviceId: "gate-1",
        now: () => time.now,
        whenFull: "reject-new",
      });
    const queue = await open();
    for (let i = 0; i < 16; i++) await queue.enqueue({ kind: "old", body: bodyOf(i) });
    const others = join(small, "others");
    await expect(writeFile(others, new Uint8Array(4e6))).rejects.toMatchObject({ code: "ENOSPC" });
    for (let i = 16; i < 24; i++)
      expect(await queue.enqueue({ kind: "new", body: bodyOf(i) })).not.toHaveProperty("dropped");
    expect(queue.stats()).toMatchObject({ durable: false, items: 24, droppedNumber: { "storage-full": 0 } });
    await rm(others);
    time.now += 1000;
    await queue.enqueue({ kind: "last", body: bodyOf(24) });
    expect(queue.stats()).toMatchObject({ durable: true, items: 25 });
    await queue.close();
    const again = await open();
    for (let i = 0; i < 25; i++) {
      const item = await again.next();
      expect(item?.body[0]).toBe(i);
      await again.settle(item!.entry.id, "sent");
    }
    expect(await again.next()).toBeUndefined();
    await again.close();
    await rm(directory, { recursive: true });
  });
});
