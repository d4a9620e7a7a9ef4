import type { BackendName } from "../module/backend.ts";
import { loadKernelSet } from "../module/load-module.ts";
import { referenceVectorKernels } from "./reference/reference-vector-kernels.ts";
import type { VectorKernels } from "./vector-kernels.ts";
import { vectorsRelaxedWasm } from "../generated/vectors-relaxed-wasm.generated.ts";
import { vectorsWasm } from "../generated/vectors-wasm.generated.ts";
import type { VectorExports } from "./wasm/vector-exports.ts";
import { wasmVectorKernels } from "./wasm/wasm-vector-kernels.ts";

/** Options of {@link loadVectorKernels} and {@link loadKernels}. */
export interface LoadKernelsOptions {
  /**
   * "auto" (the default): the best that the engine accepts of "wasm-relaxed" (relaxed SIMD), "wasm"
   * (simd128) and "reference" (the slow twin). A name: only that one.
   */
  readonly backend?: "auto" | BackendName;
}

/**
 * The vector kernels alone, with an instance and memory of their own. The modules are part of the code,
 * so nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when a backend was asked for that the engine or the page's Content-Security-Policy (it
 * must allow `'wasm-unsafe-eval'`) refuses; `cause` has the engine's error.
 */
export function loadVectorKernels({ backend }: LoadKernelsOptions = {}): Promise<VectorKernels> {
  const make = (name: Exclude<BackendName, "reference">) => (exports: unknown) =>
    wasmVectorKernels(exports as VectorExports, name);
  return loadKernelSet<VectorKernels>("loadVectorKernels", {
    backend,
    candidates: [
      { backend: "wasm-relaxed", base64: vectorsRelaxedWasm, make: make("wasm-relaxed") },
      { backend: "wasm", base64: vectorsWasm, make: make("wasm") },
      { backend: "reference", make: referenceVectorKernels },
    ],
  });
}
