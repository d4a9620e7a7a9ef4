import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensors } from "@sedna-js/core";
import { parseSignedManifest, readSafetensors } from "@sedna-js/core/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createCloud,
  createSigningKey,
  directoryModels,
  modelService,
  publishModel,
  readSigningKey,
  signKeySet,
  signManifest,
  type PublishOptions,
} from "../../packages/cloud/src/index.ts";
import { onnxEstimator } from "../../packages/edge-agent/src/index.ts";
import { checkGolden } from "../../packages/edge-agent/src/models/check-golden.ts";
import { createModelStore } from "../../packages/edge-agent/src/models/create-model-store.ts";
import { memoryBytes } from "../../packages/edge-agent/src/storage/memory-bytes.ts";
import type { ModelStore } from "../../packages/edge-agent/src/models/model-store.ts";
import { failure } from "../servers/model-store-fixture.ts";
import { tinyOnnx } from "../fakes/tiny-onnx.ts";

// From the owner's key to the edge's disk: edges accept the models that the cloud publishes.

const { key } = createSigningKey();
const at = { folder: "", made: 0 };
beforeAll(async () => void (at.folder = await mkdtemp(join(tmpdir(), "sedna-publish-"))));
afterAll(() => rm(at.folder, { recursive: true }));

const place = (): {
  directory: string;
  publish: (options?: Partial<PublishOptions>) => ReturnType<typeof publishModel>;
  edge: () => ModelStore;
} => {
  const directory = join(at.folder, String(at.made++));
  const cloud = createCloud({ services: [modelService({ files: directoryModels(directory) })] });
  const publish = async (options: Partial<PublishOptions> = {}) => {
    const model = join(at.folder, "tiny.onnx");
    if (!options.model) await writeFile(model, tinyOnnx());
    return publishModel({
      model,
      name: "tiny",
      task: { name: "tensors" },
      license: "Apache-2.0",
      key,
      directory: join(directory, "tiny"),
      ...options,
    });
  };
  const edge = () =>
    createModelStore({
      manifest: "http://cloud/v1/models/tiny/manifest.json",
      keys: [key],
      bytes: memoryBytes(),
      baseMs: 1,
      fetch: (input, init) => cloud(new Request(input as string, init)),
    });
  return { directory, publish, edge };
};

describe("a published model", () => {
  it("can be installed by an edge and passes its golden case", async () => {
    const { publish, edge } = place();
    const manifest = await publish({ golden: {}, labels: ["a", "b"], thresholds: { threshold_img: 0.9 } });
    expect(manifest).toMatchObject({
      version: 1,
      inputs: [{ name: "x", dtype: "float32", shape: [-1, 4] }],
      labels: ["a", "b"],
      golden: [{ tolerance: { absolute: 0.001, relative: 0.01 } }],
    });
    const installed = await edge().install();
    expect(installed.manifest).toEqual(manifest);
    const { outputs } = manifest.golden![0]!;
    expect(readSafetensors(await installed.read(outputs)).tensors["y"]).toMatchObject({ shape: [1, 4] });
    await using estimator = onnxEstimator({
      model: await installed.read(manifest.variants[0]!.file),
      task: tensors(),
    });
    expect(await checkGolden(estimator, installed)).toEqual({ passed: 1 });
  });

  it("has a reproducible golden case for a real detector", async () => {
    const model = new URL("../../models/tiny-person/model.onnx", import.meta.url).pathname;
    const manifests = await Promise.all(
      [place(), place()].map(({ publish }) =>
        publish({ model, golden: { seed: 7 }, task: { name: "heatmap", options: { threshold: 0.3 } } }),
      ),
    );
    expect(manifests[0]).toEqual(manifests[1]);
    expect(manifests[0]!.files).toHaveLength(3);
  });

  it("has files named by their content, shares them between versions, and keeps those of older versions", async () => {
    const { directory, publish, edge } = place();
    await publish();
    await writeFile(join(at.folder, "mul.onnx"), tinyOnnx({ op: "Mul" }));
    await publish({ model: join(at.folder, "mul.onnx") });
    const back = await publish({ rollbackOf: 2 });
    expect(back).toMatchObject({ version: 3, rollbackOf: 2 });
    const names = await readdir(join(directory, "tiny"));
    expect(names.filter((name) => /^[a-f0-9]{64}\.onnx$/.test(name))).toHaveLength(2);
    expect(names).toHaveLength(3);
    expect((await edge().install()).manifest.version).toBe(3);
  });

  it("includes the weights that it refers to, and no file from another folder", async () => {
    const { publish, edge } = place();
    const model = join(at.folder, "weights.onnx");
    await writeFile(model, tinyOnnx({ weights: "w.bin" }));
    await writeFile(join(at.folder, "w.bin"), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    const manifest = await publish({ model, golden: {} });
    expect(manifest.variants[0]!.externalData).toEqual(["w.bin"]);
    expect((await (await edge().install()).read("w.bin")).length).toBe(16);
    await writeFile(join(at.folder, "w.bin"), new Uint8Array(16));
    await expect(publish({ model })).rejects.toThrow("expected the same file as in older versions");
    await writeFile(model, tinyOnnx({ weights: "../secret" }));
    await expect(publish({ model })).rejects.toMatchObject({ code: "model-unreadable" });
  });

  it("is rejected without a higher version, a valid name, or a model, and the published version stays", async () => {
    const { directory, publish, edge } = place();
    await publish({ version: 5 });
    const before = await readFile(join(directory, "tiny", "manifest.json"), "utf8");
    for (const version of [5, 4, NaN]) await expect(publish({ version })).rejects.toBeInstanceOf(RangeError);
    await expect(publish({ name: "other" })).rejects.toThrow(
      "expected a folder of its own; got that of tiny",
    );
    for (const name of ["../x", "a/b", "", ".."])
      await expect(publish({ name, directory: join(directory, "new") })).rejects.toMatchObject({
        code: "wire-format",
      });
    await expect(publish({ model: join(at.folder, "none.onnx") })).rejects.toMatchObject({
      code: "model-unreadable",
    });
    await writeFile(join(at.folder, "broken.onnx"), tinyOnnx().slice(0, 50));
    await expect(publish({ model: join(at.folder, "broken.onnx") })).rejects.toThrow();
    await expect(publish({ license: "" })).rejects.toMatchObject({ code: "wire-format" });
    expect(await readFile(join(directory, "tiny", "manifest.json"), "utf8")).toBe(before);
    expect((await edge().check()).version).toBe(5);
  });

  it("is accepted by an edge that learns the new key through the old one", async () => {
    const { directory, publish, edge } = place();
    await publish();
    const { key: next, pem } = createSigningKey();
    expect(readSigningKey(pem)).toMatchObject({ id: next.id, publicKey: next.publicKey });
    await publish({ key: next });
    expect(await failure(edge().install())).toMatchObject({ code: "model-untrusted" });
    const { id, publicKey } = next;
    await writeFile(
      join(directory, "tiny", "keys.json"),
      JSON.stringify(signKeySet({ format: "sedna-keys/1", version: 1, keys: [{ id, publicKey }] }, key)),
    );
    expect((await edge().install()).manifest.version).toBe(2);
  });

  it("can be moved to any file server", async () => {
    const { directory, publish } = place();
    await publish();
    const other = place();
    await cp(directory, other.directory, { recursive: true });
    expect((await other.edge().install()).manifest.version).toBe(1);
  });

  it("is signed over exactly the content that an edge reads", async () => {
    const { directory, publish } = place();
    const manifest = await publish();
    const signed = parseSignedManifest(await readFile(join(directory, "tiny", "manifest.json")));
    expect(signed).toEqual(signManifest(manifest, key));
    expect(() => readSigningKey("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")).toThrow(
      "read a signing key: expected PKCS#8",
    );
  });
});
