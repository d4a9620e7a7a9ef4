import { isDeviceId } from "@sedna-js/core/wire";

/** A device that may take part. */
export interface DeviceRecord {
  /** Device ID: the hash of the public key. */
  readonly device: string;
  /** An uncompressed point of P-256, in base64. */
  readonly publicKey: string;
  readonly label: string;
  /** Unix ms. */
  readonly enrolledAt: number;
  /** Since when it may not any more, unix ms. */
  readonly revokedAt?: number;
}

/** Which devices were enrolled. Adapters: memory, files. One conformance suite runs on both. */
export interface DeviceRegistry {
  get(device: string): Promise<DeviceRecord | undefined>;
  /** Adds a device. One that is there stays as it is, revoked or not. Resolves with what is there then. */
  put(record: DeviceRecord): Promise<DeviceRecord>;
  list(): Promise<readonly DeviceRecord[]>;
  /** Bars a device, for ever: it has to make a new key and be enrolled anew. False where there is none. */
  revoke(device: string, options: { readonly at: number }): Promise<boolean>;
}

/** A registry that a restart forgets. */
export function memoryDeviceRegistry(): DeviceRegistry {
  const records = new Map<string, DeviceRecord>();
  return {
    get: async (device) => records.get(device),
    async put(record) {
      checkDeviceId(record.device);
      if (!records.has(record.device)) records.set(record.device, record);
      return records.get(record.device)!;
    },
    list: async () => [...records.values()],
    async revoke(device, { at }) {
      const record = records.get(device);
      if (!record) return false;
      if (record.revokedAt === undefined) records.set(device, { ...record, revokedAt: at });
      return true;
    },
  };
}

/** @throws {RangeError} on what is no device's id. */
export function checkDeviceId(device: string): string {
  if (!isDeviceId(device))
    throw new RangeError(
      `use a device registry: expected 32 hexadecimal digits as a device's id; got ${JSON.stringify(device)}`,
    );
  return device;
}
