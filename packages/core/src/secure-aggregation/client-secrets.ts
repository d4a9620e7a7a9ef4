import { isSmallOrder, keyAgreement, type KeyAgreement } from "./key-agreement.ts";
import { fromBase64, sharedKey, toBase64 } from "./secure-keys.ts";
import type { SecureKeys } from "../wire/secure-aggregation.ts";

/** The secrets of a client in one round. */
export interface ClientSecrets {
  /** Seed of the mask that only the client adds. */
  readonly seed: Uint8Array<ArrayBuffer>;
  /** Returns the public keys, which are created once. */
  publicKeys(): Promise<Pick<SecureKeys, "maskKey" | "sealKey">>;
  /** Secret key whose shares the neighbors get. */
  readonly maskSecret: Uint8Array<ArrayBuffer>;
  /**
   * Derives the keys that the client shares with another client.
   * @returns Whether the other client's keys have full order; without it, every client would get the same
   * secret.
   */
  agree(
    other: number,
    keys: Pick<SecureKeys, "maskKey" | "sealKey">,
    transcript: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
  /** Returns the keys that the client shares with a client after `agree`. */
  sharedWith(other: number): {
    readonly mask: Uint8Array<ArrayBuffer>;
    readonly seal: Uint8Array<ArrayBuffer>;
  };
}

/** Creates new secrets. `fill` fills an array with random bytes. */
export function createClientSecrets(fill: (bytes: Uint8Array<ArrayBuffer>) => void): ClientSecrets {
  const secret = (): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(32);
    fill(bytes);
    return bytes;
  };
  const seed = secret();
  const maskSecret = secret();
  const agreements: { mask?: KeyAgreement; seal?: KeyAgreement } = {};
  const shared = new Map<number, ReturnType<ClientSecrets["sharedWith"]>>();
  return {
    seed,
    maskSecret,
    async publicKeys() {
      agreements.mask ??= await keyAgreement(maskSecret);
      agreements.seal ??= await keyAgreement(secret());
      return { maskKey: toBase64(agreements.mask.publicKey), sealKey: toBase64(agreements.seal.publicKey) };
    },
    async agree(other, { maskKey, sealKey }, transcript) {
      if ([maskKey, sealKey].some((key) => isSmallOrder(fromBase64(key)))) return false;
      shared.set(other, {
        mask: await sharedKey(agreements.mask!, { theirs: maskKey, use: "mask", transcript }),
        seal: await sharedKey(agreements.seal!, { theirs: sealKey, use: "seal", transcript }),
      });
      return true;
    },
    sharedWith: (other) => shared.get(other)!,
  };
}
