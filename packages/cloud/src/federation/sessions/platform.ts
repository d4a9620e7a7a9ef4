import type { DeviceRegistry } from "./device-registry.ts";

/** Options of {@link fileDeviceRegistry}. */
export interface FileDeviceRegistryOptions {
  /** Made where it is not there. */
  readonly directory: string;
  /**
   * How long what was read is believed, in ms: so late does it see what another process revoked. Default
   * 5000.
   */
  readonly freshMs?: number;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/**
 * A registry of one file a device, each written beside and put in its place: after a death there is the
 * former or the new one.
 */
export declare function fileDeviceRegistry(options: FileDeviceRegistryOptions): DeviceRegistry;
