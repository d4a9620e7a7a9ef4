import { claimBytes, deviceId, type DeviceProof } from "@sedna-js/core/wire";
import { openDeviceKey } from "#platform/federation";

/** Options of {@link deviceIdentity}. */
export interface DeviceIdentityOptions {
  /** Of the key among others. In browsers one origin has one key a name. Default `sedna-device`. */
  readonly name?: string;
  /** Where Node keeps the key: `<name>.pem`, for its owner alone. */
  readonly directory?: string;
}

/** A key that was made on this device and stays there. */
export interface DeviceKey {
  /** An uncompressed point of P-256, 65 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** ECDSA with SHA-256: 64 bytes, r and s. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Who a device is. */
export interface DeviceIdentity {
  /** The hash of its public key. */
  readonly device: string;
  /** In base64. */
  readonly publicKey: string;
  /** Signs a claim to be this device. `at` in unix ms, by the aggregator's clock as far as that is known. */
  prove(claim: { readonly audience: string; readonly at: number }): Promise<DeviceProof>;
}

/**
 * This device's identity, from a key pair that is made on it once: in browsers one that no script can read out, in
 * IndexedDB; in Node a file for its owner alone.
 *
 * @throws {SednaError} `unsupported-platform` on a page without HTTPS, `storage-failed` where the key can be neither read nor kept.
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
