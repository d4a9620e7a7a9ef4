import { afterEach, describe, expect, it } from "vitest";
import type { QueueEntry, QueueStore } from "../../packages/edge-agent/src/queue/queue-store.ts";

/** Returns an entry of a test's queue. */
export const queueEntry = (
  sequence: number,
  { bytes, ...more }: Partial<QueueEntry> & { readonly bytes: number },
): QueueEntry => ({
  id: `gate-1-${sequence}`,
  sequence,
  kind: "sample",
  priority: 0,
  createdAt: 1_700_000_000_000 + sequence,
  queuedAtMs: sequence,
  ttlMs: 1000,
  bytes,
  ...more,
});

const body = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);

/** Compares byte by byte. A matcher would take a second per megabyte. */
const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a?.length === b.length && a.every((byte, i) => byte === b[i]);

/**
 * Conformance suite for adapters of the QueueStore port. `make` starts with empty storage and returns a
 * function that opens one store after the other over this storage.
 */
export function queueStoreSuite(name: string, make: () => Promise<() => QueueStore>): void {
  describe(`the QueueStore port: ${name}`, () => {
    const open: QueueStore[] = [];
    const opened = async (
      next: () => QueueStore,
    ): Promise<{ store: QueueStore; stored: Awaited<ReturnType<QueueStore["open"]>> }> => {
      const store = next();
      open.push(store);
      return { store, stored: await store.open() };
    };
    afterEach(async () => {
      for (const store of open.splice(0)) await store.close();
    });

    it("begins empty, with its own epoch", async () => {
      const { stored } = await opened(await make());
      expect(stored).toMatchObject({ entries: [], lastSequence: 0, mark: undefined, damagedNumber: 0 });
      expect(stored.epoch).toMatch(/^[0-9a-f]{12}$/);
      expect((await opened(await make())).stored.epoch).not.toBe(stored.epoch);
    });

    it("returns entries in the order of their sequence and bodies byte for byte, including empty and large ones", async () => {
      const next = await make();
      const { store } = await opened(next);
      const bodies = [0, 1, 3, 1003, 70_000, 2_500_000].map(filled);
      const entries = bodies.map((one, i) =>
        queueEntry(i + 1, {
          bytes: one.length,
          priority: i % 2 === 0 ? 0.5 : -3,
          kind: i === 0 ? "Bericht ü" : "sample",
          ...(i > 1 && { privacyKind: "blurred" }),
        }),
      );
      for (const i of [2, 0, 1, 5, 4, 3]) await store.put(entries[i]!, bodies[i]!);
      for (const [i, one] of bodies.entries())
        expect(isSame(await store.read(entries[i]!.id), one)).toBe(true);
      await store.close();

      const { store: again, stored } = await opened(next);
      expect(stored.entries).toEqual(entries);
      for (const [i, one] of bodies.entries())
        expect(isSame(await again.read(entries[i]!.id), one)).toBe(true);
    });

    it("stores a part of a larger buffer and nothing of the rest", async () => {
      const { store } = await opened(await make());
      await store.put(queueEntry(1, { bytes: 2 }), body(1, 2, 3, 4).subarray(1, 3));
      expect(await store.read("gate-1-1")).toEqual(body(2, 3));
    });

    it("returns nothing for an unknown or deleted item, and deletes it again without an error", async () => {
      const next = await make();
      const { store } = await opened(next);
      await store.put(queueEntry(1, { bytes: 1 }), body(1));
      await store.put(queueEntry(2, { bytes: 1 }), body(2));
      expect(await store.read("gate-1-3")).toBeUndefined();
      await store.delete(["gate-1-1", "gate-1-3"]);
      await store.delete(["gate-1-1"]);
      await store.delete([]);
      expect(await store.read("gate-1-1")).toBeUndefined();
      await store.close();
      expect((await opened(next)).stored.entries.map(({ sequence }) => sequence)).toEqual([2]);
    });

    it("keeps the largest sequence, the epoch and the mark when all items are deleted", async () => {
      const next = await make();
      const { store, stored } = await opened(next);
      for (const sequence of [1, 2, 7]) await store.put(queueEntry(sequence, { bytes: 1 }), body(1));
      await store.mark({ queueMs: 5, wallMs: 6 });
      await store.mark({ queueMs: 7, wallMs: 8 });
      await store.delete(["gate-1-1", "gate-1-2", "gate-1-7"]);
      await store.close();
      const { store: again, stored: then } = await opened(next);
      expect(then).toMatchObject({ entries: [], epoch: stored.epoch, mark: { queueMs: 7, wallMs: 8 } });
      expect(then.lastSequence).toBeGreaterThanOrEqual(7);
      await again.close();
      expect((await opened(next)).stored).toMatchObject({
        epoch: stored.epoch,
        lastSequence: then.lastSequence,
      });
    });

    it("handles many concurrent puts, and concurrent reads and deletes", async () => {
      const next = await make();
      const { store } = await opened(next);
      const sequences = Array.from({ length: 300 }, (_, i) => i + 1);
      await Promise.all(
        sequences.map((sequence) => store.put(queueEntry(sequence, { bytes: 500 }), filled(500, sequence))),
      );
      const [read] = await Promise.all([
        Promise.all(sequences.slice(150).map((sequence) => store.read(`gate-1-${sequence}`))),
        ...sequences.slice(0, 150).map((sequence) => store.delete([`gate-1-${sequence}`])),
      ]);
      expect(read).toEqual(sequences.slice(150).map((sequence) => filled(500, sequence)));
      await store.close();
      expect((await opened(next)).stored.entries.map(({ sequence }) => sequence)).toEqual(
        sequences.slice(150),
      );
    });

    it("completes earlier calls before it closes, rejects later calls, and may be closed twice", async () => {
      const next = await make();
      const { store } = await opened(next);
      const put = store.put(queueEntry(1, { bytes: 1 }), body(1));
      await Promise.all([put, store.close(), store.close()]);
      await store.close();
      for (const call of [
        store.put(queueEntry(2, { bytes: 1 }), body(1)),
        store.read("gate-1-1"),
        store.delete(["gate-1-1"]),
        store.mark({ queueMs: 1, wallMs: 1 }),
      ])
        await expect(call).rejects.toMatchObject({ code: "disposed" });
      expect((await opened(next)).stored.entries).toHaveLength(1);
    });
  });
}
