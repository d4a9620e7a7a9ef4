import { SednaError } from "@sedna-js/core";
import { canonicalJson, type ManifestSignature, type PublicKey } from "@sedna-js/core/wire";

/** Options of {@link verifySignature}. */
interface VerifySignatureOptions {
  readonly signatures: readonly ManifestSignature[];
  readonly keys: readonly PublicKey[];
  readonly what: string;
}

/**
 * Verifies that one of the trusted keys signed the canonical JSON of this value.
 *
 * @returns The id of the key.
 * @throws {SednaError} `model-untrusted` if no trusted key signed it, `unsupported-platform` if the engine
 * does not support Ed25519. Source: RFC 8032 through WebCrypto.
 */
export async function verifySignature(
  value: unknown,
  { signatures, keys, what }: VerifySignatureOptions,
): Promise<string> {
  const bytes = canonicalJson(value);
  for (const { keyId, value: signature } of signatures) {
    const key = keys.find(({ id }) => id === keyId);
    if (key && (await isSigned(bytes, { key, signature }))) return keyId;
  }
  const trusted = keys.map(({ id }) => id).join(", ");
  throw new SednaError(
    `trust ${what}: expected a signature by one of the keys ${trusted}; got ${signatures.map(({ keyId }) => keyId).join(", ")}, none of which is valid`,
    { code: "model-untrusted" },
  );
}

async function isSigned(
  bytes: Uint8Array<ArrayBuffer>,
  { key, signature }: { readonly key: PublicKey; readonly signature: string },
): Promise<boolean> {
  const subtle = (globalThis.crypto as Partial<typeof crypto> | undefined)?.subtle;
  if (!subtle)
    throw new SednaError(
      "verify a signature: expected WebCrypto, which browsers provide only to secure pages (https or localhost); got none",
      { code: "unsupported-platform" },
    );
  const algorithm = "Ed25519";
  const imported = await subtle
    .importKey("raw", fromBase64(key.publicKey), algorithm, false, ["verify"])
    .catch((cause: unknown) => {
      throw new SednaError(
        `verify a signature: expected an engine with Ed25519 and a valid key ${key.id}; got: ${String(cause)}`,
        { code: "unsupported-platform", cause },
      );
    });
  return subtle.verify(algorithm, imported, fromBase64(signature), bytes);
}

/** Decodes base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
