import { tensors, type Tensors } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../testing/tiny-onnx.ts";
import { onnxEstimator } from "./onnx-estimator.ts";

const x: Tensors = { x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } };

describe("onnxEstimator() in a browser", () => {
  it.each(["wasm", "webgpu"] as const)("runs on %s, with the same result", async (provider) => {
    const estimator = onnxEstimator({ model: tinyOnnx(), task: tensors(), executionProviders: [provider] });
    expect(await estimator.load()).toMatchObject({ backend: provider });
    expect((await estimator.predict(x))["y"]).toEqual({ dtype: "float32", shape: [1, 4], data: Float32Array.of(2, 4, 6, 8) });
    await estimator.dispose();
  });

  it("does not take a software adapter for a GPU", async () => {
    const estimator = onnxEstimator({ model: tinyOnnx(), task: tensors() });
    expect(await estimator.load()).toMatchObject({ backend: "wasm" });
    await estimator.dispose();
  });

  it("is unharmed by a run that was rejected", async () => {
    const estimator = onnxEstimator({ model: tinyOnnx(), task: tensors(), executionProviders: ["wasm"] });
    await expect(estimator.predict({ x: { dtype: "float32", shape: [1, 3], data: new Float32Array(3) } })).rejects.toThrow("expected x as float32 [-1,4]; got float32 [1,3]");
    const [a, b] = await Promise.all([estimator.predict(x), estimator.predict(x)]);
    expect([a["y"]!.data[0], b["y"]!.data[3]]).toEqual([2, 8]);
    await estimator.dispose();
  });

  it.each<[string, Uint8Array]>([
    ["a truncated model", tinyOnnx().slice(0, 40)],
    ["a page of HTML", new TextEncoder().encode("<!doctype html>")],
  ])("refuses %s", async (_, model) => {
    await expect(onnxEstimator({ model, task: tensors(), executionProviders: ["wasm"] }).load()).rejects.toMatchObject({ code: "model-unreadable" });
  });

  it("refuses a URL that leads to a page, as static hosts answer for what is not there", async () => {
    await expect(onnxEstimator({ model: new URL("/no-such-model.onnx", location.href), task: tensors() }).load()).rejects.toMatchObject({ code: "model-unreadable", message: expect.stringMatching(/got (a page of HTML|404)/) });
  });
});
