// A publisher of signed models on a real socket, for tests: what is published is at once what edges see.
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { canonicalJson, type ModelManifest, type PublicKey } from "@sedna-js/core";

/** A publisher; see {@link modelPublisher}. */
export interface ModelPublisher {
  /** Of the manifest. */
  readonly url: string;
  readonly keys: readonly PublicKey[];
  /** Puts a version in the place of the former. `signed: false` signs it with somebody else's key. */
  publish(files: Readonly<Record<string, Uint8Array>>, manifest: Partial<ModelManifest> & { readonly version: number; readonly task: ModelManifest["task"] }, options?: { readonly signed?: boolean }): void;
  /** Changes a file on its way, as if somebody had. */
  tamper(path: string, change: (bytes: Uint8Array) => Uint8Array): void;
  close(): Promise<void>;
}

const keyOf = (key: KeyObject): string => Buffer.from(key.export({ format: "jwk" }).x!, "base64url").toString("base64");

/** Serves signed models from memory. */
export async function modelPublisher(): Promise<ModelPublisher> {
  const [own, other] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
  const served = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const body = served.get(request.url!.slice(1));
    if (body) response.writeHead(200, { "content-type": "application/octet-stream" }).end(body);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/manifest.json`,
    keys: [{ id: "test", publicKey: keyOf(own.publicKey) }],
    publish(files, given, { signed = true } = {}) {
      const manifest: ModelManifest = {
        format: "sedna-model/1",
        name: "gate",
        files: Object.entries(files).map(([path, bytes]) => ({ path, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") })),
        variants: [{ file: "model.onnx", executionProviders: ["cpu", "wasm", "webgpu"], precision: "float32" }],
        inputs: [{ name: "x", dtype: "float32", shape: [-1, 4] }],
        outputs: [{ name: "y", dtype: "float32", shape: [-1, 4] }],
        licence: "Apache-2.0",
        ...given,
      };
      const value = sign(null, canonicalJson(manifest), (signed ? own : other).privateKey).toString("base64");
      for (const [path, bytes] of Object.entries(files)) served.set(path, bytes);
      served.set("manifest.json", Buffer.from(JSON.stringify({ manifest, signatures: [{ keyId: "test", value }] })));
    },
    tamper: (path, change) => void served.set(path, change(served.get(path)!)),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
