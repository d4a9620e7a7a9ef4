import type { DeviceIdentityOptions, DeviceKey } from "./device-key.ts";

/**
 * This device's key, made where there is none: in browsers in IndexedDB, where no script can read it out; in
 * Node a file for its owner alone.
 * @throws {TypeError} in Node, without a directory. {SednaError} `unsupported-platform`, `storage-failed`.
 */
export declare function openDeviceKey(options: DeviceIdentityOptions): Promise<DeviceKey>;
