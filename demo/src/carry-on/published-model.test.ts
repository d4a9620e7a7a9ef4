import type { Tensors } from "@sedna-js/core";
import { canonicalJson, parseSignedManifest } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { publishedModel, signManifest } from "./published-model.ts";

const some: Tensors = { image: { dtype: "float32", shape: [1], data: Float32Array.of(0.5) } };

describe("signManifest()", () => {
  it("signs exactly the bytes that an edge reads", async () => {
    const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const { manifest, files } = await publishedModel({
      version: 7,
      model: new Uint8Array(9),
      golden: { inputs: some, outputs: some },
    });
    const signed = await signManifest(manifest, { keyId: "publisher", key: keys.privateKey });

    const read = parseSignedManifest(new TextEncoder().encode(JSON.stringify(signed)));
    expect(read).toEqual(signed);
    expect(read.manifest.files.map(({ path, size }) => [path, size])).toEqual(
      Object.entries(files).map(([path, { length }]) => [path, length]),
    );
    const signature = Uint8Array.from(atob(read.signatures[0]!.value), (letter) => letter.charCodeAt(0));
    const verifies = (what: unknown): Promise<boolean> =>
      crypto.subtle.verify("Ed25519", keys.publicKey, signature, canonicalJson(what));
    expect(await verifies(read.manifest)).toBe(true);
    expect(await verifies({ ...read.manifest, version: 8 })).toBe(false);
  });
});
