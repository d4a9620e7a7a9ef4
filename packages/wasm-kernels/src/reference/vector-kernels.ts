import { createVectorKernels } from "../create-vector-kernels.ts";
import type { VectorKernels } from "../vector-kernels.ts";

/** The slow twin of the vector kernels: obvious loops in plain TypeScript. */
export function referenceVectorKernels(): VectorKernels {
  return createVectorKernels({ name: "reference" });
}
