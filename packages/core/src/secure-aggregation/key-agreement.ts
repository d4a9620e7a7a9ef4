import { x25519 } from "@noble/curves/ed25519.js";

/** PKCS #8 prefix of a 32-byte X25519 secret (RFC 8410). */
const PKCS8 = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];
const PRIME = 2n ** 255n - 19n;
/**
 * Points with which every party gets the same secret, as numbers below the prime. Source:
 * cr.yp.to/ecdh.html#validate.
 */
const SMALL_ORDER = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  PRIME - 1n,
];

/** One side of a key agreement. */
export interface KeyAgreement {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Returns the secret that only the two sides can compute. */
  secretWith(theirs: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Creates the X25519 key agreement of a 32-byte secret. Uses the engine's X25519 if available, which is
 * several times faster, and `@noble/curves` otherwise.
 */
export async function keyAgreement(secret: Uint8Array<ArrayBuffer>): Promise<KeyAgreement> {
  const native = await crypto.subtle
    .importKey("pkcs8", Uint8Array.from([...PKCS8, ...secret]), "X25519", false, ["deriveBits"])
    .catch(() => undefined);
  return {
    publicKey: Uint8Array.from(x25519.getPublicKey(secret)),
    async secretWith(theirs) {
      if (native) {
        const key = await crypto.subtle.importKey("raw", theirs, "X25519", false, []);
        return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: key }, native, 256));
      }
      return Uint8Array.from(x25519.getSharedSecret(secret, theirs));
    },
  };
}

/** Whether a public key has small order, which no honest party uses. Ignores the highest bit (RFC 7748). */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const number =
    publicKey.reduceRight((sum, byte, i) => (sum << 8n) | BigInt(i === 31 ? byte & 0x7f : byte), 0n) % PRIME;
  return SMALL_ORDER.includes(number);
}
