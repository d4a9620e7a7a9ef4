import { loadFirst } from "./load-module.ts";
import { referenceTrainingKernels } from "./reference/training-kernels.ts";
import type { TrainingKernels } from "./training-kernels.ts";
import { trainingWasm } from "./training-wasm.generated.ts";
import type { TrainingExports } from "./wasm/training-exports.ts";
import { wasmTrainingKernels } from "./wasm/training-kernels.ts";

/** Options of {@link loadTrainingKernels}. */
export interface LoadTrainingKernelsOptions {
  /**
   * "auto" (the default): WebAssembly where the engine accepts it, else the slow twin. "wasm": only
   * WebAssembly. "reference": only the slow twin.
   */
  readonly backend?: "auto" | "wasm" | "reference";
}

/**
 * The training kernels alone, with an instance and memory of their own. The module is part of the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} for an unknown backend.
 * @throws {Error} when "wasm" was asked for and the engine has no WebAssembly with simd128, or the page's
 * Content-Security-Policy forbids it (it must allow `'wasm-unsafe-eval'`); `cause` has the engine's error.
 */
export function loadTrainingKernels({ backend }: LoadTrainingKernelsOptions = {}): Promise<TrainingKernels> {
  return loadFirst<TrainingKernels>("loadTrainingKernels", {
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
