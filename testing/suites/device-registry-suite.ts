import { beforeEach, describe, expect, it } from "vitest";
import type {
  DeviceRecord,
  DeviceRegistry,
} from "../../packages/cloud/src/federation/sessions/device-registry.ts";

/** Conformance suite for device registries. */
export function deviceRegistrySuite(name: string, open: () => Promise<DeviceRegistry>): void {
  const record = (digit: string): DeviceRecord => ({
    device: digit.repeat(32),
    publicKey: `key ${digit}`,
    label: "gate",
    enrolledAt: 5,
  });
  const at = { registry: undefined as unknown as DeviceRegistry };
  beforeEach(async () => {
    at.registry = await open();
  });

  describe(`a registry of devices in ${name}`, () => {
    it("returns what was put, and undefined for an unknown device", async () => {
      expect(await at.registry.get("a".repeat(32))).toBeUndefined();
      expect(await at.registry.list()).toEqual([]);
      expect(await at.registry.put(record("a"))).toEqual(record("a"));
      await at.registry.put(record("b"));
      expect(await at.registry.get("a".repeat(32))).toEqual(record("a"));
      expect((await at.registry.list()).map(({ device }) => device[0]).toSorted()).toEqual(["a", "b"]);
    });

    it("keeps a device unchanged when it is put again, revoked or not", async () => {
      await at.registry.put(record("a"));
      expect(await at.registry.put({ ...record("a"), label: "another" })).toEqual(record("a"));
      expect(await at.registry.revoke("a".repeat(32), { at: 7 })).toBe(true);
      expect(await at.registry.revoke("a".repeat(32), { at: 9 })).toBe(true);
      expect(await at.registry.put(record("a"))).toEqual({ ...record("a"), revokedAt: 7 });
      expect(await at.registry.get("a".repeat(32))).toEqual({ ...record("a"), revokedAt: 7 });
      expect(await at.registry.revoke("c".repeat(32), { at: 7 })).toBe(false);
    });

    it("keeps one of two records that are put at once, and both calls return it", async () => {
      const both = await Promise.all([
        at.registry.put({ ...record("a"), label: "first" }),
        at.registry.put({ ...record("a"), label: "second" }),
      ]);
      expect(both[0]).toEqual(both[1]);
      expect(await at.registry.get("a".repeat(32))).toEqual(both[0]);
    });

    it("B11: rejects an invalid id", async () => {
      for (const device of ["../../etc/passwd", "", "A".repeat(32), "a".repeat(33)])
        await expect(at.registry.put({ ...record("a"), device })).rejects.toThrow(RangeError);
    });
  });
}
