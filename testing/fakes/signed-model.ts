// Signs manifests as a publisher does, and serves them together with their files.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { canonicalJson, type PublicKey } from "@sedna-js/core/wire";
import type { VerifiedModel } from "../../packages/edge-agent/src/models/model-store.ts";

/** A server at which models are published. */
export interface ModelPublisher {
  /** URL of the manifest. */
  readonly url: string;
  readonly keys: readonly PublicKey[];
  /** Makes a model the latest version. The sizes and hashes of its files are filled in. */
  publish(model: VerifiedModel): Promise<void>;
  close(): Promise<void>;
}

/** Starts a publisher on a free port of this machine, with its own key. */
export async function modelPublisher(): Promise<ModelPublisher> {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const files = new Map<string, Uint8Array>();
  const server = createServer(({ url = "/" }, response) => {
    const body = files.get(url);
    response.writeHead(body ? 200 : 404, { "content-type": "application/octet-stream" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/manifest.json`,
    keys: [{ id: "publisher", publicKey: raw.toString("base64") }],
    async publish({ manifest, read }) {
      const listed = await Promise.all(
        manifest.files.map(async ({ path }) => {
          const data = await read(path);
          files.set(`/${path}`, data);
          return { path, size: data.length, sha256: createHash("sha256").update(data).digest("hex") };
        }),
      );
      const signed = { ...manifest, files: listed };
      const value = sign(null, canonicalJson(signed), privateKey).toString("base64");
      files.set(
        "/manifest.json",
        Buffer.from(JSON.stringify({ manifest: signed, signatures: [{ keyId: "publisher", value }] })),
      );
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
