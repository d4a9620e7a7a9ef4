import { WireError } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { keySetFile, publish, signingKey } from "../../../../testing/servers/model-publisher.ts";
import { failure, model, modelStoreFixture } from "../../../../testing/servers/model-store-fixture.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";

// Which publishers a model store trusts.

const key = await signingKey("owner");
const other = await signingKey("other");
const at = modelStoreFixture(key);
const { folder, serve, storeIn } = at;

describe("createModelStore()", () => {
  it.each([
    [
      "an invalid signature",
      async () => {
        const files = await publish(key, model(1));
        const signed = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as {
          manifest: { license: string };
        };
        signed.manifest.license = "MIT";
        return files.set("manifest.json", new TextEncoder().encode(JSON.stringify(signed)));
      },
      "model-untrusted",
    ],
    ["an unknown key", () => publish(other, model(1)), "model-untrusted"],
    [
      "a signature by another key under a trusted key's id",
      () =>
        publish(
          {
            ...other,
            id: "owner",
            sign: async (value) => ({ ...(await other.sign(value)), keyId: "owner" }),
          },
          model(1),
        ),
      "model-untrusted",
    ],
    ["no JSON", async () => new Map([["manifest.json", new TextEncoder().encode("<html>")]]), "wire-format"],
    ["nothing", async () => new Map(), "model-unreadable"],
    [
      "more than 1 MiB",
      async () => new Map([["manifest.json", new Uint8Array(2 ** 20 + 1)]]),
      "model-unreadable",
    ],
  ] as const)("B1: rejects %s, and fetches no file", async (_, files, code) => {
    const store = storeIn(memoryBytes());
    at.server.files = await files();
    expect(await failure(store.install())).toMatchObject({ code });
    expect(await failure(store.check())).toMatchObject({ code });
    expect(at.server.asked).toEqual([]);
    expect(await store.versions()).toEqual([]);
  });

  it("B1: rejects a replayed older manifest, even after a restart, and accepts a signed rollback", async () => {
    const directory = folder();
    await serve({ ...model(1), version: 1 });
    const old = at.server.files;
    await storeIn(directory).install();
    await serve({ ...model(2), version: 5 });
    // A check is enough: the version need not be installed.
    await storeIn(directory).check();
    at.server.files = old;
    expect(await failure(storeIn(directory).install())).toMatchObject({
      code: "model-outdated",
      message: expect.stringContaining("expected version 5 or a later one; got 1"),
    });
    await serve({ ...model(1), version: 6, rollbackOf: 5 });
    at.server.asked.length = 0;
    expect((await storeIn(directory).install()).manifest.rollbackOf).toBe(5);
    // The files of version 1 are already stored.
    expect(at.server.asked).toEqual([]);
  });

  it("B1: rejects a different manifest of a known version, and another model", async () => {
    const store = storeIn(memoryBytes());
    await serve(model(1));
    await store.install();
    await serve(model(2));
    expect(await failure(store.check())).toMatchObject({
      code: "model-untrusted",
      message: expect.stringContaining("another manifest of that version"),
    });
    await serve({ ...model(2), version: 2, name: "other" });
    expect(await failure(store.check())).toMatchObject({
      code: "model-untrusted",
      message: expect.stringContaining("expected the model tiny; got other"),
    });
    expect(await failure(storeIn(memoryBytes(), { name: "mine" }).check())).toMatchObject({
      code: "model-untrusted",
    });
  });

  it("B1: accepts keys signed by a trusted key, stores them, and no longer trusts the old key", async () => {
    const directory = folder();
    await serve({ ...model(1), version: 1 });
    await storeIn(directory).install();
    await serve({ ...model(2), version: 2 }, other);
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keySetFile(key, { version: 1, keys: [other] }),
    );
    await storeIn(directory).install();
    // Trusted from now on, even without the file of keys.
    await serve({ ...model(3), version: 3 }, other);
    expect((await storeIn(directory).install()).manifest.version).toBe(3);
    await serve({ ...model(4), version: 4 }, key);
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
    // An older key set does not restore the old key, although its signature was once valid.
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keySetFile(key, { version: 1, keys: [key] }),
    );
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
    // Nor does another set of the same version, although a trusted key signed it.
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keySetFile(other, { version: 1, keys: [key] }),
    );
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
  });

  it.each([
    ["by an untrusted key", () => keySetFile(other, { version: 1, keys: [other] })],
    ["of garbage", async () => new TextEncoder().encode("{")],
  ])("B1: rejects new keys signed %s", async (_, keys) => {
    const store = storeIn(memoryBytes());
    await serve(model(1), other);
    at.server.files = new Map(at.server.files).set("keys.json", await keys());
    expect(await failure(store.install())).toMatchObject({ code: "model-untrusted" });
  });

  it("B2: rejects a model that refers to a file not listed in its manifest, and accepts a listed one", async () => {
    const store = storeIn(memoryBytes());
    for (const weights of ["weights.bin", "../../etc/passwd", "/etc/passwd"]) {
      await serve({
        content: { "model.onnx": tinyOnnx({ weights }), "weights.bin": new Uint8Array(16).fill(1) },
      });
      expect(await failure(store.install())).toMatchObject({
        code: "model-mismatch",
        message: expect.stringContaining(weights),
      });
      expect(await store.versions()).toEqual([]);
    }
    await serve({
      version: 2,
      content: {
        "model.onnx": tinyOnnx({ weights: "weights.bin" }),
        "weights.bin": new Uint8Array(16).fill(1),
      },
      variants: [
        {
          file: "model.onnx",
          externalData: ["weights.bin"],
          executionProviders: ["cpu"],
          precision: "float32",
        },
      ],
    });
    expect((await store.install()).manifest.version).toBe(2);
    await serve({ version: 3, content: { "model.onnx": new Uint8Array(100).fill(255) } });
    // The manifest is signed: a retry cannot change the result.
    expect(await failure(store.install())).toMatchObject({
      code: "model-mismatch",
      retryable: false,
      message: expect.stringContaining(
        "expected model.onnx as an ONNX model; got 100 bytes that are not ONNX",
      ),
    });
  });

  it("rejects an empty list of keys, and an invalid key", () => {
    expect(() => storeIn(memoryBytes(), { keys: [] })).toThrow(RangeError);
    expect(() => storeIn(memoryBytes(), { keys: [{ id: "a", publicKey: "short" }] })).toThrow(WireError);
  });

  it("B1: detects a revoked key within an hour, although it still signs", async () => {
    const clock = { ms: 0 };
    const store = storeIn(folder(), { now: () => clock.ms });
    await serve({ ...model(1), version: 1 });
    await store.install();
    const revoking = await keySetFile(key, { version: 1, keys: [other] });
    // The holder of the old key continues to sign.
    await serve({ ...model(2), version: 2 });
    at.server.files = new Map(at.server.files).set("keys.json", revoking);
    expect((await store.check()).version).toBe(2);
    clock.ms = 3_600_000;
    expect(await failure(store.check())).toMatchObject({ code: "model-untrusted" });
    await serve({ ...model(3), version: 3 }, other);
    expect((await store.check()).version).toBe(3);
  });
});
