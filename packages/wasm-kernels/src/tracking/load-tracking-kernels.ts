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
