import type { PerceptionKernels } from "./perception-kernels.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** All kernels. `backend` is that of the vector kernels: the perception kernels have no relaxed module. */
export interface Kernels extends Omit<PerceptionKernels, "backend">, VectorKernels {}

/** Both sets as one value. */
export function allKernels({ perception, vectors }: { readonly perception: PerceptionKernels; readonly vectors: VectorKernels }): Kernels {
  const dispose = () => {
    perception.dispose();
    vectors.dispose();
  };
  return { ...perception, ...vectors, dispose, [Symbol.dispose]: dispose };
}
