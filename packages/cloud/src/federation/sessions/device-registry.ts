import { isDeviceId } from "@sedna-js/core/wire";

/** An enrolled device. */
export interface DeviceRecord {
  /** Device ID: the hash of the public key. */
  readonly device: string;
  /** Public key: an uncompressed P-256 point, in base64. */
  readonly publicKey: string;
  readonly label: string;
  /** Enrollment time, in Unix ms. */
  readonly enrolledAt: number;
  /** Revocation time, in Unix ms. `undefined` if the device may participate. */
  readonly revokedAt?: number;
}

/** Storage of enrolled devices. Adapters: memory, files. Both pass one conformance suite. */
export interface DeviceRegistry {
  get(device: string): Promise<DeviceRecord | undefined>;
  /** Adds a device. An existing record stays as it is, revoked or not. Resolves with the stored record. */
  put(record: DeviceRecord): Promise<DeviceRecord>;
  list(): Promise<readonly DeviceRecord[]>;
  /**
   * Revokes a device permanently: it has to generate a new key and enroll again. Resolves with false if the
   * device is unknown.
   */
  revoke(device: string, options: { readonly at: number }): Promise<boolean>;
}

/** Creates a registry in memory, which a restart loses. */
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

/**
 * Returns the device id.
 * @throws {RangeError} If it is not a valid device id.
 */
export function checkDeviceId(device: string): string {
  if (!isDeviceId(device))
    throw new RangeError(
      `use a device registry: expected 32 hexadecimal digits as a device id; got ${JSON.stringify(device)}`,
    );
  return device;
}
