import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { SednaError } from "@sedna-js/core";
import { isDeviceId } from "@sedna-js/core/wire";
import type { FileDeviceRegistryOptions } from "./platform.ts";
import { checkDeviceId, type DeviceRecord, type DeviceRegistry } from "./device-registry.ts";

/** Creates a registry with one file per device; see the contract. */
export function fileDeviceRegistry({
  directory,
  freshMs = 5000,
  now = () => performance.now(),
}: FileDeviceRegistryOptions): DeviceRegistry {
  const read = new Map<string, { readonly record: DeviceRecord | undefined; readonly at: number }>();
  const pathOf = (device: string): string => join(directory, `${checkDeviceId(device)}.json`);

  const load = async (device: string): Promise<DeviceRecord | undefined> => {
    const record = await readFile(pathOf(device), "utf8").then((text) => parseRecord(text, device), absent);
    // Requests for unknown devices must not fill the memory.
    if (record) read.set(device, { record, at: now() });
    else read.delete(device);
    return record;
  };
  /** Writes a temporary file, which `place` moves to its path. */
  const write = async (
    record: DeviceRecord,
    place: (draft: string, path: string) => Promise<void>,
  ): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const draft = join(directory, `draft.${randomUUID()}`);
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(`${JSON.stringify(record)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await place(draft, pathOf(record.device));
    } finally {
      await rm(draft, { force: true });
      read.delete(record.device);
    }
  };

  return {
    async get(device) {
      const known = read.get(device);
      return known && now() - known.at < freshMs ? known.record : load(device);
    },
    async put(record) {
      // Linking fails if the record exists: of two concurrent calls, one succeeds, and both return its
      // record.
      await write(record, (draft, path) => link(draft, path).catch(existing));
      return (await load(record.device)) ?? record;
    },
    async list() {
      const names = await readdir(directory).catch((error: unknown) => absent(error) ?? []);
      const devices = names.map((name) => name.replace(/\.json$/, "")).filter(isDeviceId);
      const records = await Promise.all(devices.map((device) => load(device)));
      return records.filter((record) => record !== undefined);
    },
    async revoke(device, { at }) {
      const record = await load(device);
      if (record && record.revokedAt === undefined) await write({ ...record, revokedAt: at }, rename);
      return record !== undefined;
    },
  };
}

function parseRecord(text: string, device: string): DeviceRecord {
  try {
    const record = JSON.parse(text) as DeviceRecord;
    const { publicKey, label, enrolledAt, revokedAt } = record;
    if (
      record.device === device &&
      typeof publicKey === "string" &&
      typeof label === "string" &&
      Number.isFinite(enrolledAt) &&
      (revokedAt === undefined || Number.isFinite(revokedAt))
    )
      return record;
  } catch {
    // Reported below.
  }
  throw new SednaError(`read the device ${device}: expected its record; got an invalid file`, {
    code: "storage-failed",
  });
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function existing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
}
