import { loadKernelSet, type Candidate, type LoadKernelSetOptions } from "../module/load-module.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";
import { perceptionWasm } from "../generated/perception-wasm.generated.ts";
import { referencePerceptionKernels } from "./reference/reference-perception-kernels.ts";
import type { PerceptionExports } from "./wasm/perception-exports.ts";
import { wasmPerceptionKernels } from "./wasm/wasm-perception-kernels.ts";
import type { MinScores } from "./wasm/small-batches.ts";

/**
 * Loads the perception kernels, with their own instance and memory. A camera app needs only these kernels.
 * The module is embedded in the code, so nothing is fetched.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If "wasm" is requested but the engine does not support WebAssembly with simd128, or the
 * page's Content-Security-Policy blocks it (the policy must allow `'wasm-unsafe-eval'`). `cause` is the
 * engine's error.
 *
 * @example
 * ```ts
 * import { loadPerceptionKernels } from "@sedna-js/wasm-kernels";
 *
 * const kernels = await loadPerceptionKernels();
 * const offsets = Uint32Array.of(0, 2);
 * const scores = Float32Array.of(0.2, 0.4);
 * console.log([...kernels.threshold({ scores, offsets, threshold: 0.5 })]); // => [1]
 * kernels.dispose();
 * ```
 */
export function loadPerceptionKernels({ backend }: LoadKernelSetOptions = {}): Promise<PerceptionKernels> {
  return loadKernelSet<PerceptionKernels>("loadPerceptionKernels", {
    backend,
    candidates: [perceptionModule(), { backend: "reference", make: referencePerceptionKernels }],
  });
}

/**
 * Returns the module as a candidate. Tests and benchmarks set `least`, the minimum batch size for the module;
 * 0 sends every batch through the module.
 */
export function perceptionModule(least?: MinScores): Candidate<PerceptionKernels> {
  return {
    backend: "wasm",
    base64: perceptionWasm,
    make: (exports) => wasmPerceptionKernels(exports as PerceptionExports, least),
  };
}
