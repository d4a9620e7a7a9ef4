import { WireError } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { keysFile, publish, signingKey } from "../../../../testing/servers/model-publisher.ts";
import { failure, model, modelStoreFixture } from "../../../../testing/servers/model-store-fixture.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { memoryBytes } from "../storage/memory-bytes.ts";

// Whom a model store believes.

const key = await signingKey("owner");
const other = await signingKey("other");
const at = modelStoreFixture(key);
const { folder, serve, storeIn } = at;

describe("createModelStore()", () => {
  it.each([
    [
      "a wrong signature",
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
      "another's signature under a known key's name",
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
      "a megabyte and more",
      async () => new Map([["manifest.json", new Uint8Array(2 ** 20 + 1)]]),
      "model-unreadable",
    ],
  ] as const)("B1: refuses %s, and fetches no file", async (_, files, code) => {
    const store = storeIn(memoryBytes());
    at.server.files = await files();
    expect(await failure(store.install())).toMatchObject({ code });
    expect(await failure(store.check())).toMatchObject({ code });
    expect(at.server.asked).toEqual([]);
    expect(await store.versions()).toEqual([]);
  });

  it("B1: refuses an older manifest that is sent once more, after a restart too, and takes a signed rollback", async () => {
    const directory = folder();
    await serve({ ...model(1), version: 1 });
    const old = at.server.files;
    await storeIn(directory).install();
    await serve({ ...model(2), version: 5 });
    // To have seen it is enough: it need not have been installed.
    await storeIn(directory).check();
    at.server.files = old;
    expect(await failure(storeIn(directory).install())).toMatchObject({
      code: "model-outdated",
      message: expect.stringContaining("expected version 5 or a later one; got 1"),
    });
    await serve({ ...model(1), version: 6, rollbackOf: 5 });
    at.server.asked.length = 0;
    expect((await storeIn(directory).install()).manifest.rollbackOf).toBe(5);
    // The files are there: those of version 1.
    expect(at.server.asked).toEqual([]);
  });

  it("B1: refuses another manifest under the number of a version that it has, and another model", async () => {
    const store = storeIn(memoryBytes());
    await serve(model(1));
    await store.install();
    await serve(model(2));
    expect(await failure(store.check())).toMatchObject({
      code: "model-untrusted",
      message: expect.stringContaining("another under the same number"),
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

  it("B1: takes keys that a trusted key has signed, keeps them, and trusts the old one no more", async () => {
    const directory = folder();
    await serve({ ...model(1), version: 1 });
    await storeIn(directory).install();
    await serve({ ...model(2), version: 2 }, other);
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keysFile(key, { version: 1, keys: [other] }),
    );
    await storeIn(directory).install();
    // Known from here on, without the file of keys.
    await serve({ ...model(3), version: 3 }, other);
    expect((await storeIn(directory).install()).manifest.version).toBe(3);
    await serve({ ...model(4), version: 4 }, key);
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
    // An older set of keys, signed in its time, brings nobody back.
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keysFile(key, { version: 1, keys: [key] }),
    );
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
    // Nor does another set under the same number, though a trusted key has signed it.
    at.server.files = new Map(at.server.files).set(
      "keys.json",
      await keysFile(other, { version: 1, keys: [key] }),
    );
    expect(await failure(storeIn(directory).install())).toMatchObject({ code: "model-untrusted" });
  });

  it.each([
    ["by a key that is not trusted", () => keysFile(other, { version: 1, keys: [other] })],
    ["of garbage", async () => new TextEncoder().encode("{")],
  ])("B1: refuses new keys signed %s", async (_, keys) => {
    const store = storeIn(memoryBytes());
    await serve(model(1), other);
    at.server.files = new Map(at.server.files).set("keys.json", await keys());
    expect(await failure(store.install())).toMatchObject({ code: "model-untrusted" });
  });

  it("B2: refuses a model that refers to a file that its manifest does not list, and takes one that is listed", async () => {
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
    // Signed as it is, no later try reads it otherwise.
    expect(await failure(store.install())).toMatchObject({
      code: "model-mismatch",
      retryable: false,
      message: expect.stringContaining("expected model.onnx as an ONNX model; got 100 bytes that are none"),
    });
  });

  it("refuses no keys, and what is none", () => {
    expect(() => storeIn(memoryBytes(), { keys: [] })).toThrow(RangeError);
    expect(() => storeIn(memoryBytes(), { keys: [{ id: "a", publicKey: "short" }] })).toThrow(WireError);
  });

  it("B1: hears within the hour that a key is not to be trusted any more, although it still signs", async () => {
    const clock = { ms: 0 };
    const store = storeIn(folder(), { now: () => clock.ms });
    await serve({ ...model(1), version: 1 });
    await store.install();
    const revoking = await keysFile(key, { version: 1, keys: [other] });
    // Whoever has the old key goes on signing with it.
    await serve({ ...model(2), version: 2 });
    at.server.files = new Map(at.server.files).set("keys.json", revoking);
    expect((await store.check()).version).toBe(2);
    clock.ms = 3_600_000;
    expect(await failure(store.check())).toMatchObject({ code: "model-untrusted" });
    await serve({ ...model(3), version: 3 }, other);
    expect((await store.check()).version).toBe(3);
  });
});
