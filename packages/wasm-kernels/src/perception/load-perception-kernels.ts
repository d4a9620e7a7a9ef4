import { loadKernelSet, type Candidate, type LoadKernelSetOptions } from "../module/load-module.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";
import { perceptionWasm } from "../generated/perception-wasm.generated.ts";
import { referencePerceptionKernels } from "./reference/reference-perception-kernels.ts";
import type { PerceptionExports } from "./wasm/perception-exports.ts";
import { wasmPerceptionKernels } from "./wasm/wasm-perception-kernels.ts";
import type { MinScores } from "./wasm/small-batches.ts";

/**
 * The perception kernels alone, with an instance and memory of their own: what a camera app needs. The
 * module is part of the code, so nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when "wasm" was asked for and the engine has no WebAssembly with simd128, or the page's
 * Content-Security-Policy forbids it (it must allow `'wasm-unsafe-eval'`); `cause` has the engine's error.
 */
export function loadPerceptionKernels({ backend }: LoadKernelSetOptions = {}): Promise<PerceptionKernels> {
  return loadKernelSet<PerceptionKernels>("loadPerceptionKernels", {
    backend,
    candidates: [perceptionModule(), { backend: "reference", make: referencePerceptionKernels }],
  });
}

/** The module as a candidate. Tests and benchmarks choose by `least` which batches of scores go into it; 0 is all. */
export function perceptionModule(least?: MinScores): Candidate<PerceptionKernels> {
  return {
    backend: "wasm",
    base64: perceptionWasm,
    make: (exports) => wasmPerceptionKernels(exports as PerceptionExports, least),
  };
}
