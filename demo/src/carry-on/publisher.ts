import type { Tensors } from "@sedna-js/core";
import type { PublicKey } from "@sedna-js/core/wire";
import { publisherIdentity } from "./publisher-identity.ts";
import { base64, publishedModel, signManifest } from "./published-model.ts";
import type { Push } from "./pushes.ts";
import { retrain } from "./retrain.ts";
import { runOnce } from "./run-once.ts";

const KEY_ID = "demo-publisher";

/** The publisher of the models. It is part of this page, so that the visitor can play it. */
export interface Publisher {
  /** URL of the latest manifest, beside its files. */
  readonly manifest: URL;
  /** Public keys that an edge must trust. */
  readonly keys: readonly PublicKey[];
  /** Publishes the next version, good or bad. Resolves with its number when it can be fetched. */
  publish(push: Push): Promise<number>;
  /** Returns the response for a URL, or `undefined` if the URL is not the publisher's. */
  answer(url: URL): Response | undefined;
}

/** Options of {@link createPublisher}. */
export interface PublisherOptions {
  /** The folder that contains the publisher's URLs, with a trailing "/". */
  readonly place: URL;
  /** A good model. */
  readonly model: Uint8Array<ArrayBuffer>;
  /** Inputs on which each model is run before it is published. */
  readonly inputs: Tensors;
  /** Random source, uniform in [0,1). Default `Math.random`. */
  readonly random?: () => number;
}

/** Creates a publisher with its own key. Nothing is published yet. */
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
      // A publisher of NaN has not run the model, so its golden case holds the outputs of the good model. A
      // publisher of a worse model has run it and records the outputs of that model.
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
