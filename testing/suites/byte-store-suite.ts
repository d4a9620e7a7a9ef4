import { describe, expect, it } from "vitest";
import type { ByteStore } from "../../packages/edge-agent/src/storage/byte-store.ts";

const filled = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);
/** Compares byte by byte. A matcher would take a second per megabyte. */
const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a?.length === b.length && a.every((byte, i) => byte === b[i]);

/**
 * Conformance suite for adapters of the ByteStore port. `make` starts with empty storage and returns a
 * function that opens one store after the other over this storage.
 */
export function byteStoreSuite(name: string, make: () => Promise<() => Promise<ByteStore>>): void {
  describe(`the ByteStore port: ${name}`, () => {
    it("begins empty", async () => {
      const store = await (await make())();
      expect(await store.keys()).toEqual([]);
      expect(await store.get("a")).toBeUndefined();
      await store.delete("a");
    });

    it("returns byte for byte the last value set, also from a store that is opened later", async () => {
      const next = await make();
      const store = await next();
      const values = new Map(
        [1, 3, 1003, 70_000, 2_500_000].map((length) => [`v-${length}.bin`, filled(length, length)]),
      );
      for (const [key, value] of values)
        await store.set(key, filled(10, 1)).then(() => store.set(key, value));
      const again = await next();
      expect([...(await again.keys())].toSorted()).toEqual([...values.keys()].toSorted());
      for (const [key, value] of values) {
        expect(isSame(await store.get(key), value)).toBe(true);
        expect(isSame(await again.get(key), value)).toBe(true);
      }
    });

    it("stores a part of a larger buffer and nothing of the rest", async () => {
      const store = await (await make())();
      await store.set("part", filled(100, 5).subarray(10, 20));
      expect([...(await store.get("part"))!]).toEqual([...filled(100, 5).subarray(10, 20)]);
    });

    it("copies bytes, so that changes of a given or returned buffer have no effect", async () => {
      const store = await (await make())();
      const given = filled(5, 1);
      await store.set("own", given);
      given.fill(0);
      (await store.get("own"))!.fill(9);
      expect([...(await store.get("own"))!]).toEqual([...filled(5, 1)]);
    });

    it("deletes the given key and no other", async () => {
      const next = await make();
      const store = await next();
      await store.set("a", filled(3, 1));
      await store.set("b", filled(3, 2));
      await store.delete("a");
      expect(await store.get("a")).toBeUndefined();
      expect(await (await next()).keys()).toEqual(["b"]);
    });

    it("holds one complete value after concurrent writes", async () => {
      const store = await (await make())();
      const values = [1, 2, 3, 4, 5].map((seed) => filled(50_000, seed));
      await Promise.all(values.map((value) => store.set("same", value)));
      const last = await store.get("same");
      expect(values.filter((value) => isSame(last, value))).toHaveLength(1);
    });

    it.each(["", ".", "..", "../x", "a/b", "a\\b", "A", "a%2e", "a\0", "x".repeat(101), "ä", "-a"])(
      "rejects the key %j, which is not safe as a file name",
      async (key) => {
        const store = await (await make())();
        const rejected = async (call: () => Promise<unknown>): Promise<unknown> =>
          call().then(
            () => "taken",
            (error: unknown) => error,
          );
        for (const call of [
          async () => store.get(key),
          async () => store.set(key, filled(1, 1)),
          async () => store.delete(key),
        ])
          expect(await rejected(call)).toBeInstanceOf(RangeError);
        expect(await store.keys()).toEqual([]);
      },
    );

    it("rejects an empty value, which a crash during a write could leave", async () => {
      const store = await (await make())();
      await expect((async () => store.set("a", new Uint8Array(0)))()).rejects.toBeInstanceOf(RangeError);
      expect(await store.get("a")).toBeUndefined();
    });
  });
}
