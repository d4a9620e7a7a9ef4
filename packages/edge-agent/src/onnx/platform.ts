import type { OrtModule } from "@sedna-js/core/adapters/onnx-runtime";

// What each platform provides. Both files, platform.browser.ts and platform.node.ts, export all of it; what a
// platform cannot do throws an error that says so and names what can.

/** Where a model comes from: a URL or path, or its bytes. */
export type ModelSource = string | URL | Uint8Array;

/** Execution providers of ONNX Runtime that we ask for. */
export type ExecutionProvider = "webgpu" | "wasm" | "cpu";

/** Imports the ONNX Runtime that serves these providers, and only that one. */
export declare function importOnnxRuntime(providers: readonly ExecutionProvider[]): Promise<OrtModule>;

/** The providers that pay on this machine, best first: WebGPU only where it is not emulated. */
export declare function defaultProviders(): Promise<readonly ExecutionProvider[]>;

/** Options for `InferenceSession.create` on this platform. */
export declare function sessionOptions(options: {
  readonly threads?: number;
}): Readonly<Record<string, unknown>>;

/** Reads a model's bytes. */
export declare function readModel(
  source: ModelSource,
  options: { readonly signal?: AbortSignal },
): Promise<Uint8Array>;

/** Whether the GPU that WebGPU would give now computes in float16. */
export declare function hasShaderF16(): Promise<boolean>;
