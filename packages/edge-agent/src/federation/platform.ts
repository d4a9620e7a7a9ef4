import type { DeviceIdentityOptions, DeviceKey } from "./device-key.ts";

/**
 * Opens this device's key, which is created if missing. Browsers store it in IndexedDB as a non-extractable
 * key; Node stores it in a file that only its owner can read.
 *
 * @throws {TypeError} In Node, if the directory is missing. {SednaError} `unsupported-platform`,
 * `storage-failed`.
 */
export declare function openDeviceKey(options: DeviceIdentityOptions): Promise<DeviceKey>;
