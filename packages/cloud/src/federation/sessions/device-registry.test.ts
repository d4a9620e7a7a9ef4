import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deviceRegistrySuite } from "../../../../../testing/suites/device-registry-suite.ts";
import { memoryDeviceRegistry } from "./device-registry.ts";
import { fileDeviceRegistry } from "./file-device-registry.node.ts";

const at = { folder: "", made: 0 };
beforeAll(async () => {
  at.folder = await mkdtemp(join(tmpdir(), "sedna-devices-"));
});
afterAll(() => rm(at.folder, { recursive: true }));
const fresh = (): string => join(at.folder, String(at.made++), "devices");

deviceRegistrySuite("memory", async () => memoryDeviceRegistry());
deviceRegistrySuite("files", async () => fileDeviceRegistry({ directory: fresh() }));

describe("fileDeviceRegistry()", () => {
  const record = { device: "a".repeat(32), publicKey: "key", label: "", enrolledAt: 5 };

  it("keeps devices across a restart, readable by their owner only, and leaves no drafts", async () => {
    const directory = fresh();
    await fileDeviceRegistry({ directory }).put(record);
    expect(await fileDeviceRegistry({ directory }).get(record.device)).toEqual(record);
    expect(await readdir(directory)).toEqual([`${record.device}.json`]);
    expect((await stat(join(directory, `${record.device}.json`))).mode & 0o777).toBe(0o600);
  });

  it("notices in time that another process revoked a device", async () => {
    const directory = fresh();
    const clock = { now: 0 };
    const ours = fileDeviceRegistry({ directory, now: () => clock.now });
    await ours.put(record);
    await fileDeviceRegistry({ directory }).revoke(record.device, { at: 7 });
    expect(await ours.get(record.device)).toEqual(record);
    clock.now = 5000;
    expect(await ours.get(record.device)).toEqual({ ...record, revokedAt: 7 });
  });

  it("names the device whose file is damaged", async () => {
    const directory = fresh();
    const registry = fileDeviceRegistry({ directory });
    await registry.put(record);
    for (const text of ["", "{", "null", '{"device":"b"}']) {
      await writeFile(join(directory, `${record.device}.json`), text);
      await expect(fileDeviceRegistry({ directory }).get(record.device)).rejects.toMatchObject({
        code: "storage-failed",
        message: expect.stringContaining(record.device),
      });
    }
  });
});
