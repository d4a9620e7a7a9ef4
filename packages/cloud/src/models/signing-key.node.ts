import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from "node:crypto";
import { SednaError } from "@sedna-js/core";
import {
  canonicalJson,
  parseSignedKeySet,
  parseSignedManifest,
  type KeySet,
  type ManifestSignature,
  type ModelManifest,
  type SignedKeySet,
  type SignedManifest,
} from "@sedna-js/core/wire";
import type { SigningKey } from "./platform.ts";

/** See the contract. */
export function createSigningKey(): { readonly key: SigningKey; readonly pem: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  return { key: signingKey(privateKey), pem: privateKey.export({ type: "pkcs8", format: "pem" }) as string };
}

/** See the contract. */
export function readSigningKey(pem: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    // Omit the cause: it may quote the key.
    throw new SednaError("read a signing key: expected PKCS#8 in PEM; got other text", {
      code: "wire-format",
      cause: cause instanceof Error ? cause.name : undefined,
    });
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw new SednaError(`read a signing key: expected an Ed25519 key; got ${key.asymmetricKeyType}`, {
      code: "wire-format",
    });
  return signingKey(key);
}

/** See the contract. */
export function signManifest(manifest: ModelManifest, key: SigningKey): SignedManifest {
  return parseSignedManifest(utf8({ manifest, signatures: [key.sign(manifest)] }));
}

/** See the contract. */
export function signKeySet(keySet: KeySet, key: SigningKey): SignedKeySet {
  return parseSignedKeySet(utf8({ keySet, signatures: [key.sign(keySet)] }));
}

function signingKey(privateKey: KeyObject): SigningKey {
  // The last 32 bytes of the SubjectPublicKeyInfo are the raw key.
  const raw = createPublicKey(privateKey).export({ type: "spki", format: "der" }).subarray(-32);
  const id = `ed25519-${createHash("sha256").update(raw).digest("hex").slice(0, 16)}`;
  const signature = (value: unknown): ManifestSignature => ({
    keyId: id,
    value: sign(null, canonicalJson(value), privateKey).toString("base64"),
  });
  return { id, publicKey: raw.toString("base64"), sign: signature };
}

function utf8(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
