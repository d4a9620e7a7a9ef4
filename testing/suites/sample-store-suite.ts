import { writeSampleUpload } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import type { SampleStore } from "../../packages/cloud/src/samples/sample-store.ts";

/** Returns a sample's message with the given id. */
export const sample = (id: string, payload: Uint8Array = Uint8Array.of(1, 2, 3)): Uint8Array<ArrayBuffer> =>
  writeSampleUpload({
    head: { id, createdAt: 1, device: "cam", kind: "full", contentType: "image/jpeg", reason: "hard" },
    payload,
  });

/** Conformance suite for sample stores. `make` returns an empty store. */
export function sampleStoreSuite(name: string, make: () => Promise<SampleStore>): void {
  describe(`the SampleStore port: ${name}`, () => {
    const opened = async (): Promise<SampleStore> => {
      const store = await make();
      await store.open();
      return store;
    };

    it("stores a sample once and reports a duplicate the second time", async () => {
      const store = await opened();
      expect(await store.put("a", sample("a"))).toBe("stored");
      expect(await store.put("a", sample("a"))).toBe("duplicate");
      expect(await store.list({ limit: 10 })).toEqual({ ids: ["a"] });
    });

    it("keeps the first of two samples with the same id", async () => {
      const store = await opened();
      await store.put("a", sample("a"));
      expect(await store.put("a", sample("a", Uint8Array.of(9)))).toBe("conflict");
      expect([...(await store.read("a"))!]).toEqual([...sample("a")]);
    });

    it("stores one of many concurrent samples with the same id", async () => {
      const store = await opened();
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => store.put("a", sample("a"))));
      expect(outcomes.toSorted()).toEqual([...Array<string>(19).fill("duplicate"), "stored"]);
    });

    it("returns the stored bytes, which are its own copy", async () => {
      const store = await opened();
      const bytes = sample("a");
      await store.put("a", bytes);
      bytes.fill(0);
      expect([...(await store.read("a"))!]).toEqual([...sample("a")]);
      expect(await store.read("b")).toBeUndefined();
    });

    it("accepts any id literally, never as a path", async () => {
      const store = await opened();
      const ids = [
        "../../etc/passwd",
        "..\\x",
        "%2e%2e/x",
        "/absolute",
        "a".repeat(200),
        "__proto__",
        "con",
        "~",
      ];
      for (const id of ids) expect(await store.put(id, sample(id))).toBe("stored");
      for (const id of ids) expect([...(await store.read(id))!]).toEqual([...sample(id)]);
      expect((await store.list({ limit: 100 })).ids.toSorted()).toEqual(ids.toSorted());
    });

    it("lists page by page, each id once", async () => {
      const store = await opened();
      const ids = Array.from({ length: 25 }, (_, i) => `cam/${i}`);
      for (const id of ids) await store.put(id, sample(id));
      const seen: string[] = [];
      let after: string | undefined;
      let pages = 0;
      do {
        const page = await store.list({ limit: 10, ...(after === undefined ? {} : { after }) });
        seen.push(...page.ids);
        after = page.next;
        pages++;
      } while (after !== undefined);
      expect(pages).toBe(3);
      expect(seen.toSorted()).toEqual(ids.toSorted());
      expect(await store.list({ after: "zzz", limit: 5 })).toEqual({ ids: [] });
    });

    it("reports whether there is space", async () => {
      const store = await opened();
      expect([await store.hasRoom(1), await store.hasRoom(2 ** 60)]).toEqual([true, false]);
    });
  });
}
