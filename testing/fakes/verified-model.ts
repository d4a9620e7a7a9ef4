// A model in memory that is treated as verified, for tests of code that runs models.
import { SednaError } from "@sedna-js/core";
import type { ModelManifest } from "@sedna-js/core/wire";
import type { VerifiedModel } from "../../packages/edge-agent/src/models/model-store.ts";
import { tinyOnnx } from "./tiny-onnx.ts";

/** Returns a model with the given files. The default manifest is that of `tinyOnnx()`, y = x + x. */
export function verifiedModel(
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = { "model.onnx": tinyOnnx() },
  manifest: Partial<ModelManifest> = {},
): VerifiedModel {
  return {
    manifest: {
      format: "sedna-model/1",
      name: "tiny",
      version: 1,
      files: Object.entries(files).map(([path, data]) => ({
        path,
        size: data.length,
        sha256: "0".repeat(64),
      })),
      variants: [{ file: "model.onnx", executionProviders: ["webgpu", "wasm", "cpu"], precision: "float32" }],
      inputs: [{ name: "x", dtype: "float32", shape: [-1, 4] }],
      outputs: [{ name: "y", dtype: "float32", shape: [-1, 4] }],
      task: { name: "tensors" },
      license: "Apache-2.0",
      ...manifest,
    },
    async read(path, { signal } = {}) {
      signal?.throwIfAborted();
      const file = files[path];
      if (!file)
        throw new SednaError(`read ${path}: expected one of ${Object.keys(files).join(", ")}; got another`, {
          code: "model-unreadable",
        });
      return file.slice();
    },
  };
}
