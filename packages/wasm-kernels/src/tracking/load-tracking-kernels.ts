import { loadKernelSet, type LoadKernelSetOptions } from "../module/load-module.ts";
import { referenceTrackingKernels } from "./reference/reference-tracking-kernels.ts";
import type { TrackingKernels } from "./tracking-kernels.ts";
import { trackingWasm } from "../generated/tracking-wasm.generated.ts";
import type { TrackingExports } from "./wasm/tracking-exports.ts";
import { wasmTrackingKernels } from "./wasm/wasm-tracking-kernels.ts";

/**
 * The tracking kernels alone, with an instance and memory of their own. The module is part of the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when "wasm" was asked for and the engine has no WebAssembly with simd128, or the page's
 * Content-Security-Policy forbids it (it must allow `'wasm-unsafe-eval'`); `cause` has the engine's error.
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
