import type { Tensors } from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import { publisherIdentity } from "./publisher-identity.ts";
import { base64, publishedModel, signManifest } from "./published-model.ts";
import type { Push } from "./pushes.ts";
import { retrain } from "./retrain.ts";
import { runOnce } from "./run-once.ts";

const KEY_ID = "demo-publisher";

/** Whoever makes the models: a part of this page, so that the visitor can be it. */
export interface Publisher {
  /** Where the newest manifest is; its files lie beside it. */
  readonly manifest: URL;
  /** What an edge has to trust. */
  readonly keys: readonly PublicKey[];
  /** Publishes the next version, good or bad; resolves with its number when it can be fetched. */
  publish(push: Push): Promise<number>;
  /** What lies at an address; undefined where that is not the publisher's. */
  answer(url: URL): Response | undefined;
}

/** Options of {@link createPublisher}. */
export interface PublisherOptions {
  /** The folder whose addresses are the publisher's, with "/" at its end. */
  readonly place: URL;
  /** A good model. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** What models are tried on before they are published. */
  readonly inputs: Tensors;
  /** Uniform in [0,1). */
  readonly random?: () => number;
}

/** A publisher with a key of its own. Nothing is published yet. */
export async function createPublisher({
  place,
  model,
  inputs,
  random = Math.random,
}: PublisherOptions): Promise<Publisher> {
  const { keys, nextVersion } = await publisherIdentity();
  const publicKey = base64(new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();

  return {
    manifest: new URL("manifest.json", place),
    keys: [{ id: KEY_ID, publicKey }],
    async publish(push) {
      const good = retrain(model, { into: "good", random });
      const offered = push === "nan" || push === "worse" ? retrain(model, { into: push, random }) : good;
      // Who publishes NaN has not tried it: the golden case is what the model was to answer. Who publishes a
      // worse model has, and believes what it saw.
      const golden = { inputs, outputs: await runOnce({ model: push === "nan" ? good : offered, inputs }) };
      const published = await publishedModel({ version: nextVersion(), model: offered, golden });
      const { manifest } = published;
      const key =
        push === "forged"
          ? (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])).privateKey
          : keys.privateKey;
      const signed = await signManifest(manifest, { keyId: KEY_ID, key });

      files.clear();
      for (const [path, bytes] of Object.entries(published.files)) files.set(path, bytes);
      if (push === "bit") files.set(manifest.variants[0]!.file, withOneBitChanged(offered));
      files.set("manifest.json", new TextEncoder().encode(JSON.stringify(signed)));
      return manifest.version;
    },
    answer(url) {
      if (!url.href.startsWith(place.href)) return undefined;
      const bytes = files.get(url.pathname.slice(place.pathname.length));
      return bytes
        ? new Response(bytes, { headers: { "content-length": String(bytes.length) } })
        : new Response(null, { status: 404 });
    },
  };
}

function withOneBitChanged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}
