import { openDeviceKey } from "#platform/federation";
import { claimBytes, deviceId, type DeviceProof, randomHex } from "@sedna-js/core/wire";
import type { DeviceIdentityOptions } from "./device-key.ts";

/** The identity of a device. */
export interface DeviceIdentity {
  /** Device ID: the hash of the public key. */
  readonly device: string;
  /** Public key in base64. */
  readonly publicKey: string;
  /**
   * Signs a claim to be this device. `at` is unix time in ms, by the aggregator's clock as far as it is
   * known.
   */
  prove(claim: { readonly audience: string; readonly at: number }): Promise<DeviceProof>;
}

/**
 * Opens this device's identity. Its key pair is generated once on the device: in browsers as a
 * non-extractable key in IndexedDB, in Node as a file that only its owner can read.
 *
 * @throws {SednaError} `unsupported-platform` on a page without HTTPS; `storage-failed` if the key can be
 * neither read nor stored.
 */
export async function deviceIdentity({
  name = "sedna-device",
  directory,
}: DeviceIdentityOptions = {}): Promise<DeviceIdentity> {
  const key = await openDeviceKey({ name, directory });
  const device = deviceId(new Uint8Array(await crypto.subtle.digest("SHA-256", key.publicKey)));
  return {
    device,
    publicKey: base64(key.publicKey),
    async prove({ audience, at }) {
      const nonce = randomHex(16);
      return { at, nonce, signature: base64(await key.sign(claimBytes({ audience, device, nonce, at }))) };
    },
  };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
