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
   * "auto" (the default): the best backend that the engine supports, from "wasm-relaxed" (relaxed SIMD)
   * through "wasm" (simd128) to "reference" (the reference implementation). A backend name: only that
   * backend.
   */
  readonly backend?: "auto" | BackendName;
}

/**
 * Loads the vector kernels, with their own instance and memory. The modules are embedded in the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If the requested backend is not supported by the engine or is blocked by the page's
 * Content-Security-Policy (the policy must allow `'wasm-unsafe-eval'`). `cause` is the engine's error.
 *
 * @example
 * ```ts
 * import { loadVectorKernels } from "@sedna-js/wasm-kernels";
 *
 * const kernels = await loadVectorKernels();
 * const mean = kernels.weightedMean({ length: 2 });
 * mean.add({ encoding: "f32", values: Float32Array.of(1, 2) }, { weight: 1 });
 * mean.add({ encoding: "f32", values: Float32Array.of(3, 6) }, { weight: 3 });
 * console.log([...mean.result()]); // => [2.5,5]
 * kernels.dispose();
 * ```
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
