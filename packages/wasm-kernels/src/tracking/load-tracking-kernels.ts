import { loadKernelSet, type LoadKernelSetOptions } from "../module/load-module.ts";
import { referenceTrackingKernels } from "./reference/reference-tracking-kernels.ts";
import type { TrackingKernels } from "./tracking-kernels.ts";
import { trackingWasm } from "../generated/tracking-wasm.generated.ts";
import type { TrackingExports } from "./wasm/tracking-exports.ts";
import { wasmTrackingKernels } from "./wasm/wasm-tracking-kernels.ts";

/**
 * Loads the tracking kernels, with their own instance and memory. The module is embedded in the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If "wasm" is requested but the engine does not support WebAssembly with simd128, or the
 * page's Content-Security-Policy blocks it (the policy must allow `'wasm-unsafe-eval'`). `cause` is the
 * engine's error.
 *
 * @example
 * ```ts
 * import { loadTrackingKernels } from "@sedna-js/wasm-kernels";
 *
 * const kernels = await loadTrackingKernels();
 * const cost = Float32Array.of(1, 2, 2, 1);
 * console.log([...kernels.assign({ cost, rows: 2, columns: 2 }).columnOfRow]); // => [0,1]
 * kernels.dispose();
 * ```
 */
export function loadTrackingKernels({ backend }: LoadKernelSetOptions = {}): Promise<TrackingKernels> {
  return loadKernelSet<TrackingKernels>("loadTrackingKernels", {
    backend,
    candidates: [
      {
        backend: "wasm",
        base64: trackingWasm,
        make: (exports) => wasmTrackingKernels(exports as TrackingExports),
      },
      { backend: "reference", make: referenceTrackingKernels },
    ],
  });
}
