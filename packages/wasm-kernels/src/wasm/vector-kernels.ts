import type { BackendName } from "../backend.ts";
import { createVectorKernels } from "../create-vector-kernels.ts";
import type { VectorKernels } from "../vector-kernels.ts";
import { kernelMemory } from "./kernel-memory.ts";
import type { VectorExports } from "./vector-exports.ts";

/** The vector kernels over an instance of one of their modules, which nothing else may use. */
export function wasmVectorKernels(exports: VectorExports, name: Exclude<BackendName, "reference">): VectorKernels {
  const memory = kernelMemory(exports);
  void memory;
  return createVectorKernels({ name });
}
