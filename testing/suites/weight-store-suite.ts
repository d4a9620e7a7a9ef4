import { describe, expect, it } from "vitest";
import { sha256Hex, type WeightStore } from "../../packages/core/src/weight-store/weight-store.ts";

const filled = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);
/** Compares byte by byte. A matcher would take a second per megabyte. */
const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a?.length === b.length && a.every((byte, i) => byte === b[i]);
const all = { maxBytes: 2 ** 24 };

/** Conformance suite for adapters of the WeightStore port. `make` returns an empty store. */
export function weightStoreSuite(name: string, make: () => Promise<WeightStore>): void {
  describe(`the WeightStore port: ${name}`, () => {
    it("begins empty", async () => {
      const store = await make();
      expect(await store.get("fl/models/0", all)).toBeUndefined();
      await store.delete("fl/models/0");
    });

    it("returns byte for byte the last value put", async () => {
      const store = await make();
      for (const length of [0, 1, 3, 1003, 2_500_000]) {
        const key = `fl/models/${length}`;
        await store.put(key, filled(10, 1));
        await store.put(key, filled(length, length));
        expect(isSame(await store.get(key, all), filled(length, length))).toBe(true);
      }
    });

    it("copies bytes, so that changes of a given or returned buffer have no effect", async () => {
      const store = await make();
      const given = filled(100, 5);
      await store.put("fl/part", given.subarray(10, 20));
      given.fill(0);
      (await store.get("fl/part", all))!.fill(9);
      expect([...(await store.get("fl/part", all))!]).toEqual([...filled(100, 5).subarray(10, 20)]);
    });

    it("rejects a value larger than its reader accepts", async () => {
      const store = await make();
      await store.put("fl/updates/1/a", filled(1000, 1));
      expect(await store.get("fl/updates/1/a", { maxBytes: 1000 })).toHaveLength(1000);
      await expect(store.get("fl/updates/1/a", { maxBytes: 999 })).rejects.toMatchObject({
        code: "cloud-garbage",
        retryable: false,
      });
    });

    it("rejects a value whose hash is not the one that its reader expects", async () => {
      const store = await make();
      await store.put("fl/updates/1/a", filled(1000, 1));
      expect(
        await store.get("fl/updates/1/a", { ...all, sha256: await sha256Hex(filled(1000, 1)) }),
      ).toHaveLength(1000);
      await expect(
        store.get("fl/updates/1/a", { ...all, sha256: await sha256Hex(filled(1000, 2)) }),
      ).rejects.toMatchObject({ code: "cloud-garbage", retryable: true });
    });

    it("deletes the given key and no other", async () => {
      const store = await make();
      await store.put("fl/a", filled(3, 1));
      await store.put("fl/a.b", filled(3, 2));
      await store.delete("fl/a");
      expect(await store.get("fl/a", all)).toBeUndefined();
      expect(await store.get("fl/a.b", all)).toHaveLength(3);
    });

    it("holds one complete value after concurrent puts", async () => {
      const store = await make();
      const values = [1, 2, 3, 4].map((seed) => filled(50_000, seed));
      // A server may reject one of two concurrent puts, as moto does with 500, but it must not mix them.
      const outcomes = await Promise.allSettled(values.map((value) => store.put("fl/same", value)));
      for (const outcome of outcomes)
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ retryable: true });
      expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
      const last = await store.get("fl/same", all);
      expect(values.filter((value) => isSame(last, value))).toHaveLength(1);
    });

    it.each([
      "",
      ".",
      "..",
      "../x",
      "a/../b",
      "/a",
      "a/",
      "a//b",
      "a\\b",
      "a b",
      "a%2e",
      "a?b",
      "a\0",
      "x".repeat(501),
      "ä",
      ".a",
    ])("rejects the key %j", async (key) => {
      const store = await make();
      for (const call of [
        () => store.get(key, all),
        () => store.put(key, filled(1, 1)),
        () => store.delete(key),
      ])
        await expect((async () => call())()).rejects.toBeInstanceOf(RangeError);
    });

    it("does nothing if the signal is already aborted", async () => {
      const store = await make();
      const controller = new AbortController();
      const reason = new Error("enough");
      controller.abort(reason);
      const { signal } = controller;
      for (const call of [
        () => store.put("fl/a", filled(1, 1), { signal }),
        () => store.get("fl/a", { ...all, signal }),
        () => store.delete("fl/a", { signal }),
      ])
        await expect(call()).rejects.toBe(reason);
      expect(await store.get("fl/a", all)).toBeUndefined();
    });
  });
}
