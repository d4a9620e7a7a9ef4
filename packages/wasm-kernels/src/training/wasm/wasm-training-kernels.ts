import { createTrainingKernels, type TrainingKernels } from "../training-kernels.ts";

import { wasmHeadStore } from "./head-store.ts";
import { kernelMemory } from "../../module/kernel-memory.ts";
import type { TrainingExports } from "./training-exports.ts";

/** Creates the training kernels over a module instance, which must have no other user. */
export function wasmTrainingKernels(exports: TrainingExports): TrainingKernels {
  const memory = kernelMemory(exports);
  return createTrainingKernels({ name: "wasm", headTrainer: (training) => wasmHeadStore(memory, training) });
}
