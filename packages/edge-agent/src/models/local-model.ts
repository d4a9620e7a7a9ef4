import type { ModelManifest } from "@sedna-js/core/wire";
import { readModel, type ModelSource } from "#platform/onnx";
import type { VerifiedModel } from "./model-store.ts";

/** Options of {@link localModel}. */
export interface LocalModelOptions {
  /** URL, path (in Node) or bytes of one ONNX file without external data. */
  readonly file: ModelSource;
  readonly task: ModelManifest["task"];
  /** Name of the model. Default `local`. */
  readonly name?: string;
  /** Version of the model. Default 1. */
  readonly version?: number;
}

/**
 * Wraps an unsigned model, for which the app or the device's owner vouches, as a verified one. Unknown
 * manifest fields (size, hash, contract) stay empty; the runtime checks the contract when it opens the model.
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
      // Return a copy: the caller may transfer the bytes to a Worker, and the app's own bytes must stay
      // usable.
      return new Uint8Array(await readModel(file, signal ? { signal } : {}));
    },
  };
}
