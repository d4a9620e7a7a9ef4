import { loadKernelSet, type LoadKernelSetOptions } from "../module/load-module.ts";
import { referenceTrainingKernels } from "./reference/reference-training-kernels.ts";
import type { TrainingKernels } from "./training-kernels.ts";
import { trainingWasm } from "../generated/training-wasm.generated.ts";
import type { TrainingExports } from "./wasm/training-exports.ts";
import { wasmTrainingKernels } from "./wasm/wasm-training-kernels.ts";

/**
 * Loads the training kernels, with their own instance and memory. The module is embedded in the code, so
 * nothing is fetched.
 *
 * @throws {RangeError} If the backend is unknown.
 * @throws {Error} If "wasm" is requested but the engine does not support WebAssembly with simd128, or the
 * page's Content-Security-Policy blocks it (the policy must allow `'wasm-unsafe-eval'`). `cause` is the
 * engine's error.
 *
 * @example
 * ```ts
 * import { loadTrainingKernels } from "@sedna-js/wasm-kernels";
 *
 * const kernels = await loadTrainingKernels();
 * const trainer = kernels.headTrainer({
 *   head: { kind: "softmax", features: 1, classes: 2 },
 *   samples: Float32Array.of(-1, 1),
 *   labels: Uint32Array.of(0, 1),
 *   optimizer: { kind: "sgd", learningRate: 1 },
 *   seed: 1,
 * });
 * for (let epoch = 0; epoch < 50; epoch++) trainer.epoch();
 * console.log(trainer.epoch().accuracy); // => 1
 * kernels.dispose();
 * ```
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
