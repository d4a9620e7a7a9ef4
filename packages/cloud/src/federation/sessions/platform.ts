import type { DeviceRegistry } from "./device-registry.ts";

/** Options of {@link fileDeviceRegistry}. */
export interface FileDeviceRegistryOptions {
  /** Directory of the registry. It is created if it does not exist. */
  readonly directory: string;
  /**
   * Time for which entries are cached, in ms. A revocation by another process takes effect after at most this
   * time. Default 5000.
   */
  readonly freshMs?: number;
  /** Monotonic clock, in ms. */
  readonly now?: () => number;
}

/**
 * Returns a registry with one file per device. A file is replaced atomically: after a crash it has the old
 * content or the new.
 */
export declare function fileDeviceRegistry(options: FileDeviceRegistryOptions): DeviceRegistry;
