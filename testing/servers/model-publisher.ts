// A publisher of models, for tests of code that installs them: real keys, real signatures, files as bytes.
// For Node and browsers.
import {
  canonicalJson,
  type KeySet,
  type ManifestSignature,
  type ModelManifest,
  type PublicKey,
  toHex,
} from "@sedna-js/core/wire";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const utf8 = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value));

/** An Ed25519 key pair. */
export interface SigningKey extends PublicKey {
  sign(value: unknown): Promise<ManifestSignature>;
}

/** Creates a new key pair. */
export async function signingKey(id: string): Promise<SigningKey> {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  return {
    id,
    publicKey: base64(await crypto.subtle.exportKey("raw", pair.publicKey)),
    sign: async (value) => ({
      keyId: id,
      value: base64(await crypto.subtle.sign("Ed25519", pair.privateKey, canonicalJson(value))),
    }),
  };
}

/** Content of a version: fields of its manifest, and files by name, the ONNX file first. */
export interface Version extends Partial<ModelManifest> {
  readonly content?: Readonly<Record<string, Bytes>>;
}

/** Returns the manifest of a version. */
export async function manifestOf({
  content = { "model.onnx": tinyOnnx() },
  ...more
}: Version = {}): Promise<ModelManifest> {
  const hash = async (bytes: Bytes): Promise<string> =>
    toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return {
    format: "sedna-model/1",
    name: "tiny",
    version: 1,
    files: await Promise.all(
      Object.entries(content).map(async ([path, bytes]) => ({
        path,
        size: bytes.length,
        sha256: await hash(bytes),
      })),
    ),
    variants: [
      { file: Object.keys(content)[0]!, executionProviders: ["webgpu", "wasm", "cpu"], precision: "float32" },
    ],
    inputs: [{ name: "x", dtype: "float32", shape: [-1, 4] }],
    outputs: [{ name: "y", dtype: "float32", shape: [-1, 4] }],
    task: { name: "tensors" },
    license: "Apache-2.0",
    ...more,
  };
}

/** Returns the publisher's files of a version, with the manifest signed by a key. */
export async function publish(key: SigningKey, version: Version = {}): Promise<Map<string, Bytes>> {
  const manifest = await manifestOf(version);
  const files = new Map(Object.entries(version.content ?? { "model.onnx": tinyOnnx() }));
  return files.set("manifest.json", utf8({ manifest, signatures: [await key.sign(manifest)] }));
}

/** Returns a new key set as a file, signed by a key of the previous set. */
export async function keySetFile(
  by: SigningKey,
  { version, keys }: { readonly version: number; readonly keys: readonly PublicKey[] },
): Promise<Bytes> {
  const keySet: KeySet = {
    format: "sedna-keys/1",
    version,
    keys: keys.map(({ id, publicKey }) => ({ id, publicKey })),
  };
  return utf8({ keySet, signatures: [await by.sign(keySet)] });
}

/**
 * Returns a model of the given length that loads like the tiny model. The padding is a field that no runtime
 * knows.
 */
export function paddedOnnx(bytes: number, seed = 1): Bytes {
  const model = tinyOnnx();
  const rest = bytes - model.length;
  const length: number[] = [];
  const digits = rest < 130 ? 1 : rest < 16_500 ? 2 : rest < 2_097_000 ? 3 : 4;
  let left = rest - 2 - digits;
  for (let i = 0; i < digits; i++, left = Math.floor(left / 128))
    length.push((left % 128) + (i < digits - 1 ? 128 : 0));
  const filler = Uint8Array.from({ length: rest - 2 - digits }, (_, i) => (i * seed) % 251);
  // Field 1000, length-delimited.
  return new Uint8Array([...model, 0xc2, 0x3e, ...length, ...filler]);
}
