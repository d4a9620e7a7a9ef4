import { x25519 } from "@noble/curves/ed25519.js";

/** What comes before the 32 bytes of an X25519 secret in PKCS #8 (RFC 8410). */
const PKCS8 = [
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20,
];
const PRIME = 2n ** 255n - 19n;
/** Points with which everyone's secret would be the same, as numbers below the prime. Source: cr.yp.to/ecdh.html#validate. */
const SMALL_ORDER = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  PRIME - 1n,
];

/** One side of an agreement on keys. */
export interface KeyAgreement {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** What both sides, and nobody else, can work out. */
  secretWith(theirs: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** X25519 of a secret of 32 bytes: the engine's where it has it, which is several times faster, else that of @noble/curves. */
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

/** True for a public key that no honest side has. The highest bit does not count (RFC 7748). */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const number =
    publicKey.reduceRight((sum, byte, i) => (sum << 8n) | BigInt(i === 31 ? byte & 0x7f : byte), 0n) % PRIME;
  return SMALL_ORDER.includes(number);
}
