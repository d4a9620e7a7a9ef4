import { WireError, type Tensors } from "@sedna-js/core";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sednaModelStore } from "#platform/updates";
import { bundledWorker } from "../../../../testing/workers/bundled-worker.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { verifiedModel } from "../../../../testing/fakes/verified-model.ts";
import type { VerifiedModel } from "../models/model-store.ts";
import { superviseModel } from "../supervisor/supervise-model.ts";
import type { SupervisedModel } from "../supervisor/supervised-model.ts";
import { createModelSlot } from "./create-model-slot.ts";
import { createUpdater } from "./create-updater.ts";

let createWorker: () => Worker;
beforeAll(async () => {
  createWorker = await bundledWorker(
    new URL("../../../../testing/workers/update-worker.ts", import.meta.url),
  );
}, 30_000);

describe("sednaModelStore()", { timeout: 30_000 }, () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "sedna-update-"))));
  afterEach(() => rm(folder, { recursive: true }));

  const base = verifiedModel(
    { "model.onnx": tinyOnnx() },
    {
      version: 4,
      labels: ["one"],
      golden: [{ inputs: "a", outputs: "b", tolerance: { absolute: 0, relative: 0 } }],
    },
  );
  const { golden: _, ...withoutGolden } = base.manifest;
  const open = (over: VerifiedModel = base) =>
    sednaModelStore({ configPath: join(folder, "model_config.json"), base: over, trustLocalFiles: true });
  /** Writes the file and then the config, as Sedna's local controller does. */
  const lay = async (file: string, { model, time }: { model: Uint8Array; time: string }) => {
    await writeFile(join(folder, file), model);
    await writeFile(
      join(folder, "model_config.json"),
      JSON.stringify({ model_config: { model_path: file, model_update_time: time } }),
    );
  };

  it("rejects unsigned files unless they are explicitly trusted", () => {
    expect(() => sednaModelStore({ configPath: "/x", base, trustLocalFiles: false })).toThrow(
      expect.objectContaining({ code: "model-untrusted" }),
    );
  });

  it("returns the base model while there is no config", async () => {
    const store = open();
    expect((await store.check()).version).toBe(4);
    expect(await store.install()).toBe(base);
  });

  it("creates the next version for each new update time, and the same version for the same time", async () => {
    const store = open();
    await lay("a.onnx", { model: tinyOnnx({ op: "Mul" }), time: "2022-01-01 00:00:00 +0000 UTC m=+1" });
    expect(await store.check()).toMatchObject({
      name: "tiny",
      version: 5,
      labels: ["one"],
      files: [{ path: "model.onnx", size: tinyOnnx({ op: "Mul" }).length }],
    });
    expect(await store.check()).not.toHaveProperty("golden");
    expect((await store.check()).version).toBe(5);
    const { read } = await store.install();
    expect(await read("model.onnx")).toEqual(tinyOnnx({ op: "Mul" }));
    await expect(read("../model_config.json")).rejects.toMatchObject({ code: "model-unreadable" });
    await lay("b.onnx", { model: tinyOnnx({ op: "Sub" }), time: "2022-01-02" });
    expect((await store.check()).version).toBe(6);
  });

  it("rereads a file that was incomplete at first, and rejects a file that was changed after its check", async () => {
    const store = open();
    await lay("a.onnx", { model: Uint8Array.of(8), time: "now" });
    await store.check();
    await lay("a.onnx", { model: tinyOnnx({ op: "Mul" }), time: "now" });
    const { read } = await store.install();
    expect(await read("model.onnx")).toEqual(tinyOnnx({ op: "Mul" }));
    await lay("a.onnx", { model: tinyOnnx({ op: "Sub" }), time: "now" });
    await expect(read("model.onnx")).rejects.toMatchObject({
      code: "model-unreadable",
      message: expect.stringContaining("was changed since"),
    });
  });

  it("reports an invalid config or file, and finds it at the next check once it is correct", async () => {
    const store = open();
    await writeFile(join(folder, "model_config.json"), "{");
    await expect(store.check()).rejects.toThrow(WireError);
    await lay("a.onnx", { model: tinyOnnx(), time: "now" });
    await rm(join(folder, "a.onnx"));
    await expect(store.check()).rejects.toMatchObject({ code: "model-unreadable", retryable: true });
    await lay("a.onnx", { model: tinyOnnx(), time: "now" });
    expect((await store.check()).version).toBe(5);
  });

  it("works with an updater: marks a file bad only after it was tried, and installs the next one", async () => {
    const first: VerifiedModel = { ...base, manifest: withoutGolden };
    const store = open(first);
    const openModel = (model: VerifiedModel): SupervisedModel<Tensors, Tensors> =>
      superviseModel({ model, createWorker });
    const slot = createModelSlot<Tensors, Tensors, SupervisedModel<Tensors, Tensors>>(openModel(first));
    const updater = createUpdater<Tensors, Tensors>({
      store,
      slot,
      open: openModel,
      settings: { shadowMs: 5, probationMs: 5 },
    });
    try {
      expect(await updater.check()).toEqual({ result: "current", version: 4 });
      await lay("a.onnx", { model: Uint8Array.of(1, 2, 3), time: "Monday" });
      await rm(join(folder, "a.onnx"));
      expect(await updater.check()).toMatchObject({
        result: "postponed",
        error: { code: "model-unreadable" },
      });
      await lay("a.onnx", { model: Uint8Array.of(1, 2, 3), time: "Monday" });
      expect(await updater.check()).toMatchObject({
        result: "rejected",
        version: 5,
        rejection: "does-not-open",
      });
      expect(await updater.check()).toEqual({ result: "known-bad", version: 5 });
      await lay("b.onnx", { model: tinyOnnx({ op: "Mul" }), time: "Tuesday" });
      expect(await updater.check()).toEqual({ result: "confirmed", version: 6 });
      const { y } = await slot.predict({
        x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(3, 0, 0, 0) },
      });
      expect(y!.data[0]).toBe(9);
      await updater.rollback();
      expect(slot.current.manifest.version).toBe(4);
    } finally {
      await updater.dispose();
      await slot.dispose();
    }
  });
});
