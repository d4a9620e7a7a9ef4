import type { ModelManifest } from "@sedna-js/core/wire";
import { readModel, type ModelSource } from "#platform/onnx";
import type { VerifiedModel } from "./model-store.ts";

/** Options of {@link localModel}. */
export interface LocalModelOptions {
  /** URL, path (in Node) or bytes of one ONNX file without external data. */
  readonly file: ModelSource;
  readonly task: ModelManifest["task"];
  /** Default `local`. */
  readonly name?: string;
  /** Default 1. */
  readonly version?: number;
}

/**
 * A model without a signature, for whose file the app or the device's owner vouches: as one that was
 * verified. What its manifest cannot know (size, hash, contract) is left empty; the runtime checks the
 * contract when it opens it.
 */
export function localModel({ file, task, name = "local", version = 1 }: LocalModelOptions): VerifiedModel {
  const path = "model.onnx";
  return {
    manifest: {
      format: "sedna-model/1",
      name,
      version,
      files: [],
      variants: [{ file: path, executionProviders: ["webgpu", "wasm", "cpu"], precision: "float32" }],
      inputs: [],
      outputs: [],
      task,
      license: "NOASSERTION",
    },
    async read(_path, { signal } = {}) {
      // A copy: who reads may hand the bytes over to a Worker, and the app's own must stay whole.
      return new Uint8Array(await readModel(file, signal ? { signal } : {}));
    },
  };
}
