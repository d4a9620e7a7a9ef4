import { describe, expect, it } from "vitest";
import type { FederationLog, FederationRecord } from "./federation-log.ts";

const record = (round: number): FederationRecord => ({
  type: "events",
  events: [{ type: "rejected", at: round, client: 'ü\n"', round, code: "not-finite" }],
});

/**
 * Conformance suite of a federation log. `make` creates an empty log; `reopen` opens the same log after its
 * process is gone.
 */
export function federationLogSuite(
  name: string,
  make: () => Promise<{ readonly log: FederationLog; readonly reopen: () => Promise<FederationLog> }>,
): void {
  describe(`the FederationLog port: ${name}`, () => {
    const opened = async () => {
      const made = await make();
      await made.log.open();
      return made;
    };

    it("returns the appended records in order, also after it was reopened", async () => {
      const { log, reopen } = await opened();
      expect(await log.read()).toEqual([]);
      await log.append([record(1)]);
      await log.append([record(2), record(3)]);
      expect(await log.read()).toEqual([record(1), record(2), record(3)]);
      await log.close();
      const again = await reopen();
      expect(await again.read()).toEqual([record(1), record(2), record(3)]);
      await again.append([record(4)]);
      expect(await again.read()).toHaveLength(4);
      await again.close();
    });

    it("replaces its records, and appends to the new ones", async () => {
      const { log, reopen } = await opened();
      await log.append([record(1), record(2)]);
      await log.replace([record(3)]);
      expect(await log.read()).toEqual([record(3)]);
      await log.append([record(4)]);
      await log.close();
      const again = await reopen();
      expect(await again.read()).toEqual([record(3), record(4)]);
      await again.close();
    });

    it("keeps blobs whole, replaces and deletes them, and returns copies", async () => {
      const { log, reopen } = await opened();
      const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
      await log.putBlob("model-1", bytes);
      await log.putBlob("model-2", Uint8Array.of());
      const first = bytes.slice();
      bytes.fill(0);
      expect(await log.getBlob("model-1")).toEqual(first);
      (await log.getBlob("model-1"))!.fill(9);
      expect(await log.getBlob("model-1")).toEqual(first);
      await log.putBlob("model-1", Uint8Array.of(1, 2));
      expect((await log.blobs()).toSorted()).toEqual(["model-1", "model-2"]);
      await log.deleteBlob("model-2");
      await log.deleteBlob("model-2");
      await log.close();
      const again = await reopen();
      expect(await again.blobs()).toEqual(["model-1"]);
      expect(await again.getBlob("model-1")).toEqual(Uint8Array.of(1, 2));
      expect(await again.getBlob("model-2")).toBeUndefined();
      await again.close();
    });

    it("rejects a blob name that could be a path", async () => {
      const { log } = await opened();
      for (const bad of ["../x", "a/b", "", "A", ".x", "a..b", "x".repeat(101), "a\0"])
        await expect(log.putBlob(bad, Uint8Array.of(1))).rejects.toThrow(RangeError);
      await log.close();
    });

    it("can be open only once", async () => {
      const { log } = await opened();
      await expect(log.open()).rejects.toThrow("expected a closed log");
      await log.close();
    });
  });
}
