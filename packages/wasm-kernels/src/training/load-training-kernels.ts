import { loadKernelSet, type LoadKernelSetOptions } from "../module/load-module.ts";
import { referenceTrainingKernels } from "./reference/reference-training-kernels.ts";
import type { TrainingKernels } from "./training-kernels.ts";
import { trainingWasm } from "../generated/training-wasm.generated.ts";
import type { TrainingExports } from "./wasm/training-exports.ts";
import { wasmTrainingKernels } from "./wasm/wasm-training-kernels.ts";

/**
 * The training kernels alone, with an instance and memory of their own. The module is part of the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when "wasm" was asked for and the engine has no WebAssembly with simd128, or the page's
 * Content-Security-Policy forbids it (it must allow `'wasm-unsafe-eval'`); `cause` has the engine's error.
 */
export function loadTrainingKernels({ backend }: LoadKernelSetOptions = {}): Promise<TrainingKernels> {
  return loadKernelSet<TrainingKernels>("loadTrainingKernels", {
    backend,
    candidates: [
      {
        backend: "wasm",
        base64: trainingWasm,
        make: (exports) => wasmTrainingKernels(exports as TrainingExports),
      },
      { backend: "reference", make: referenceTrainingKernels },
    ],
  });
}
