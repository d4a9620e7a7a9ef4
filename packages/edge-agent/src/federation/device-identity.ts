import { claimBytes, deviceId, type DeviceProof } from "@sedna-js/core/wire";
import { openDeviceKey } from "#platform/federation";

/** Options of {@link deviceIdentity}. */
export interface DeviceIdentityOptions {
  /** Name of the key. In browsers an origin has one key per name. Default `sedna-device`. */
  readonly name?: string;
  /** Directory in which Node stores the key as `<name>.pem`, readable only by its owner. Required in Node. */
  readonly directory?: string;
}

/** A key pair that is generated on this device and never leaves it. */
export interface DeviceKey {
  /** Uncompressed point of P-256, 65 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Signs with ECDSA and SHA-256. @returns 64 bytes: r and s. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

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
  const key = await openDeviceKey({ name, ...(directory !== undefined && { directory }) });
  const device = deviceId(new Uint8Array(await crypto.subtle.digest("SHA-256", key.publicKey)));
  return {
    device,
    publicKey: base64(key.publicKey),
    async prove({ audience, at }) {
      const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, "0"),
      ).join("");
      return { at, nonce, signature: base64(await key.sign(claimBytes({ audience, device, nonce, at }))) };
    },
  };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
