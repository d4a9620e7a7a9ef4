import type { OrtModule } from "@sedna-js/core/adapters/onnx-runtime";

// The functions that each platform provides. Both platform.browser.ts and platform.node.ts export all of
// them. A function that a platform cannot support throws an error that says so and names the alternatives.

/** A model: its URL or path, or its bytes. */
export type ModelSource = string | URL | Uint8Array;

/** Execution providers of ONNX Runtime that this package uses. */
export type ExecutionProvider = "webgpu" | "wasm" | "cpu";

/** Imports only the ONNX Runtime build that supports these providers. */
export declare function importOnnxRuntime(providers: readonly ExecutionProvider[]): Promise<OrtModule>;

/**
 * Returns the providers worth using on this machine, best first. WebGPU is included only if it is not
 * emulated.
 */
export declare function defaultProviders(): Promise<readonly ExecutionProvider[]>;

/** Returns the options for `InferenceSession.create` on this platform. */
export declare function sessionOptions(options: {
  readonly threads?: number;
}): Readonly<Record<string, unknown>>;

/** Reads a model's bytes. */
export declare function readModel(
  source: ModelSource,
  options: { readonly signal?: AbortSignal },
): Promise<Uint8Array>;

/** Returns whether the GPU that WebGPU would provide supports float16 in shaders. */
export declare function hasShaderF16(): Promise<boolean>;
