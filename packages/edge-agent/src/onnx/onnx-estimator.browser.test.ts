import { tensors } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { onnxEstimator } from "./onnx-estimator.ts";

for (const backend of ["wasm", "webgpu"] as const) {
  estimatorSuite(`onnxruntime-web, ${backend}`, {
    backend,
    make: () => onnxEstimator({ model: tinyOnnx(), task: tensors(), executionProviders: [backend] }),
  });
}

describe("onnxEstimator() in a browser", () => {
  it("does not use a software adapter as a GPU", async () => {
    const estimator = onnxEstimator({ model: tinyOnnx(), task: tensors() });
    expect(await estimator.load()).toMatchObject({ backend: "wasm" });
    await estimator.dispose();
  });

  it.each<[string, Uint8Array]>([
    ["a truncated model", tinyOnnx().slice(0, 40)],
    ["an HTML page", new TextEncoder().encode("<!doctype html>")],
  ])("refuses %s", async (_, model) => {
    await expect(
      onnxEstimator({ model, task: tensors(), executionProviders: ["wasm"] }).load(),
    ).rejects.toMatchObject({ code: "model-unreadable" });
  });

  it("rejects a URL that returns a page, as static hosts do for missing files", async () => {
    await expect(
      onnxEstimator({ model: new URL("/no-such-model.onnx", location.href), task: tensors() }).load(),
    ).rejects.toMatchObject({
      code: "model-unreadable",
      message: expect.stringMatching(/got (a page of HTML|404)/),
    });
  });
});
