import { canonicalJson } from "@sedna-js/core/wire";
import { createModelStore } from "../../packages/edge-agent/src/models/create-model-store.ts";
import { verifySignature } from "../../packages/edge-agent/src/models/verify-signature.ts";
import { openByteStore } from "../../packages/edge-agent/src/storage/platform.browser.ts";
import { openQueueStore } from "../../packages/edge-agent/src/queue/platform.browser.ts";
import { paddedOnnx, publish, signingKey } from "../servers/model-publisher.ts";
import { expectClose, noise, type EngineCheck } from "./engine-check.ts";
import { missingFeatures } from "./features.ts";

const lacks = (feature: string) => async (): Promise<string | undefined> =>
  (await missingFeatures()).includes(feature) ? feature : undefined;

/** The value whose canonical bytes Node's own Ed25519 signed. */
const signed = { version: 1, model: "x" };
const publicKey = "cj/Yi/tahlLryICk9RKrgCC+Bpk/6a6pMZX6w/qWzwc=";
const signature = "qltFH2xbQHjOq7tqgaWBseIHzI6lOXzGAzXB+TEgltNdUUXJ5VFxO2/MeWXcK/GijkhkZ5L34njV4jfWsP3eBQ==";

/** Checks of storage that survives a reload, and of signatures. */
export const storageChecks: readonly EngineCheck[] = [
  {
    name: "the queue's store keeps acknowledged items in order for the next store that opens it",
    lacks: lacks("IndexedDB"),
    async run() {
      const body = Uint8Array.from({ length: 70_001 }, (_, i) => i % 251);
      const entry = (sequence: number) => ({
        id: `gate-1-${sequence}`,
        sequence,
        kind: "sample",
        priority: 0,
        createdAt: 1,
        queuedAtMs: sequence,
        ttlMs: 1000,
        bytes: body.length,
      });
      const first = openQueueStore({ name: "engines" });
      await first.open();
      for (const sequence of [1, 2, 3]) await first.put(entry(sequence), body);
      await first.delete(["gate-1-2"]);
      await first.close();
      const second = openQueueStore({ name: "engines" });
      const { entries, lastSequence } = await second.open();
      if (entries.map(({ sequence }) => sequence).join() !== "1,3" || lastSequence < 3)
        throw new Error(
          `expected 1,3; got ${entries.map(({ sequence }) => sequence).join()}, last ${lastSequence}`,
        );
      expectClose((await second.read("gate-1-3"))!, body, 0);
      await second.close();
    },
  },
  {
    name: "bytes are stored on the browser's disk, not in memory",
    async run() {
      const degraded: unknown[] = [];
      const open = () =>
        openByteStore({
          name: "engine-models",
          directory: "",
          onDegraded: ({ error }) => degraded.push(error),
        });
      const bytes = new Uint8Array(noise(100_003, 8).buffer);
      const store = await open();
      await store.set("model.onnx", bytes);
      const again = await open();
      expectClose((await again.get("model.onnx"))!, bytes, 0);
      if ((await again.keys()).join() !== "model.onnx")
        throw new Error(`expected model.onnx; got ${(await again.keys()).join()}`);
      await again.delete("model.onnx");
      if ((await store.get("model.onnx")) !== undefined) throw new Error("expected model.onnx to be deleted");
      if (degraded.length > 0) throw new Error(`expected a disk; got memory: ${String(degraded[0])}`);
    },
  },
  {
    name: "an Ed25519 signature is accepted for its value and rejected for a changed value",
    lacks: lacks("Ed25519 in WebCrypto"),
    async run() {
      const options = {
        signatures: [{ keyId: "a", value: signature }],
        keys: [{ id: "a", publicKey }],
        what: "the model",
      };
      if (new TextDecoder().decode(canonicalJson(signed)) !== '{"model":"x","version":1}')
        throw new Error("expected canonical bytes");
      await verifySignature(signed, options);
      const error = await verifySignature({ ...signed, version: 2 }, options).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if ((error as { code?: string } | undefined)?.code !== "model-untrusted")
        throw new Error(`expected model-untrusted; got ${String(error)}`);
    },
  },
  {
    name: "a signed model is verified, stored and read again, and a model signed by another key is rejected",
    lacks: lacks("Ed25519 in WebCrypto"),
    async run() {
      const [key, other] = [await signingKey("owner"), await signingKey("other")];
      let files = await publish(key, { content: { "model.onnx": paddedOnnx(1_200_000) } });
      const degraded: unknown[] = [];
      const name = `engines-${crypto.randomUUID()}`;
      const storeOn = async () =>
        createModelStore({
          manifest: "https://models.example/manifest.json",
          keys: [key],
          bytes: await openByteStore({
            name,
            directory: "",
            onDegraded: ({ error }) => degraded.push(error),
          }),
          fetch: async (input) => new Response(files.get(new URL(input as string).pathname.slice(1)) ?? null),
        });
      await (await storeOn()).install();
      if (degraded.length > 0) throw new Error(`expected a disk; got ${String(degraded[0])}`);
      const found = await (await storeOn()).current();
      const { length } = (await found?.read("model.onnx")) ?? [];
      if (length !== 1_200_000) throw new Error(`expected 1200000 bytes; got ${length}`);
      files = await publish(other, { version: 2 });
      const rejected = await (await storeOn()).install().then(
        () => "installed",
        (error: { code?: string }) => error.code,
      );
      if (rejected !== "model-untrusted") throw new Error(`expected model-untrusted; got ${rejected}`);
    },
  },
];
