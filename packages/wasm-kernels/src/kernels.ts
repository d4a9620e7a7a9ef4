import type { PerceptionKernels } from "./perception-kernels.ts";
import type { TrainingKernels } from "./training-kernels.ts";
import type { VectorKernels } from "./vector-kernels.ts";

/** All kernels. `backend` is that of the vector kernels: only they have a module with relaxed SIMD. */
export interface Kernels extends Omit<PerceptionKernels, "backend">, Omit<TrainingKernels, "backend">, VectorKernels {}

/** The three sets as one value. */
export function allKernels({ perception, vectors, training }: { readonly perception: PerceptionKernels; readonly vectors: VectorKernels; readonly training: TrainingKernels }): Kernels {
  const dispose = () => {
    perception.dispose();
    vectors.dispose();
    training.dispose();
  };
  return { ...perception, ...training, ...vectors, dispose, [Symbol.dispose]: dispose };
}
