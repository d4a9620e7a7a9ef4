import { describe, expect, it } from "vitest";
import { openByteStore } from "#platform/storage";
import { byteStoreSuite } from "../../../../testing/suites/byte-store-suite.ts";
import {
  paddedOnnx,
  publish,
  signingKey,
  type Version,
} from "../../../../testing/servers/model-publisher.ts";
import type { ByteStore } from "../storage/byte-store.ts";
import { cacheBytes } from "../storage/cache-bytes.browser.ts";
import { createModelStore } from "./create-model-store.ts";
import { fallbackBytes } from "../storage/fallback-bytes.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";
import type { ModelStore } from "./model-store.ts";
import { opfsBytes } from "../storage/opfs-bytes.browser.ts";

// Runs in a real Chromium, on its own disk.

const fresh = (): string => `test-${crypto.randomUUID()}`;

byteStoreSuite("the private file system", async () => {
  const name = fresh();
  return () => opfsBytes({ name });
});
byteStoreSuite("the Cache API", async () => {
  const name = fresh();
  return () => cacheBytes({ name });
});
byteStoreSuite("the best store of this browser", async () => {
  const name = fresh();
  return () => openByteStore({ name, directory: "" });
});

const key = await signingKey("owner");
const model = (seed: number, bytes = 3000): Version => ({
  version: seed,
  content: { "model.onnx": paddedOnnx(bytes, seed) },
});
/** A store whose publisher is a function. Network behavior is tested in Node. */
const storeOn = (bytes: ByteStore, files: () => ReadonlyMap<string, Uint8Array<ArrayBuffer>>): ModelStore =>
  createModelStore({
    manifest: "https://models.example/manifest.json",
    keys: [key],
    bytes,
    baseMs: 1,
    fetch: async (input) => {
      const body = files().get(new URL(input as string).pathname.slice(1));
      return new Response(body ?? null, { status: body ? 200 : 404 });
    },
  });

describe.each([
  ["the private file system", opfsBytes],
  ["the Cache API", cacheBytes],
])("createModelStore() on %s", (_, open) => {
  it("installs a signed model, and loads it after a reload", async () => {
    const name = fresh();
    const files = await publish(key, model(1, 1_500_000));
    await storeOn(await open({ name }), () => files).install();
    const later = storeOn(await open({ name }), () => new Map());
    const found = (await later.current())!;
    const bytes = await found.read("model.onnx");
    expect(bytes.length).toBe(1_500_000);
    expect(bytes.every((byte, i) => byte === files.get("model.onnx")![i])).toBe(true);
  });

  it("C13: detects a bit flipped on the disk, and repairs it", async () => {
    const bytes = await open({ name: fresh() });
    const files = await publish(key, model(1));
    const store = storeOn(bytes, () => files);
    const installed = await store.install();
    const blob = (await bytes.keys()).find((name) => name.startsWith("blob-"))!;
    const stored = (await bytes.get(blob))!;
    stored[1234]! ^= 16;
    await bytes.set(blob, stored);
    await expect(installed.read("model.onnx")).rejects.toMatchObject({ code: "model-unreadable" });
    expect(await store.current()).toBeUndefined();
    await store.install();
    expect((await store.current())?.manifest.version).toBe(1);
  });

  it("C13: keeps the old model if the new one is corrupt", async () => {
    const store = storeOn(await open({ name: fresh() }), () => files);
    let files = await publish(key, model(1));
    await store.install();
    await store.mark(1, "good");
    files = await publish(key, model(2));
    files.set(
      "model.onnx",
      files.get("model.onnx")!.map((byte, i) => (i === 7 ? byte ^ 1 : byte)),
    );
    await expect(store.install()).rejects.toMatchObject({ code: "model-unreadable" });
    expect((await store.current())?.manifest.version).toBe(1);
  });
});

it("C7: runs the new model from memory if the quota is exceeded in the middle of a file, and keeps the good model on the disk", async () => {
  const name = fresh();
  const disk = await opfsBytes({ name });
  // Fails as Chromium does when the quota is used up. A page cannot set the quota of its origin.
  let room = Infinity;
  const quota: ByteStore = {
    ...disk,
    async set(place, bytes) {
      room -= bytes.length;
      if (room >= 0) return disk.set(place, bytes);
      const { SednaError } = await import("@sedna-js/core");
      throw new SednaError("store: expected free space; got none", { code: "storage-full", retryable: true });
    },
  };
  const told: string[] = [];
  const first = storeOn(quota, () => files);
  let files = await publish(key, model(1));
  await first.install();
  await first.mark(1, "good");
  room = 1_500_000;
  files = await publish(key, model(2, 3_000_000));
  const store = storeOn(
    fallbackBytes({ first: quota, memory: memoryBytes(), onDegraded: ({ key: place }) => told.push(place) }),
    () => files,
  );
  const installed = await store.install();
  expect((await installed.read("model.onnx")).length).toBe(3_000_000);
  expect(told.length).toBeGreaterThan(1);
  // After a reload the memory is empty, and the good version is still on the disk.
  const later = storeOn(await opfsBytes({ name }), () => new Map());
  expect((await later.current())?.manifest.version).toBe(1);
});
