import type { PerceptionKernels } from "./perception/perception-kernels.ts";
import type { TrackingKernels } from "./tracking/tracking-kernels.ts";
import type { TrainingKernels } from "./training/training-kernels.ts";
import type { VectorKernels } from "./vectors/vector-kernels.ts";

/** All kernels. `backend` is that of the vector kernels: only they have a module with relaxed SIMD. */
export interface Kernels
  extends
    Omit<PerceptionKernels, "backend">,
    Omit<TrackingKernels, "backend">,
    Omit<TrainingKernels, "backend">,
    VectorKernels {}

/** The four sets, each with an instance of its own. */
export interface KernelSets {
  readonly perception: PerceptionKernels;
  readonly tracking: TrackingKernels;
  readonly vectors: VectorKernels;
  readonly training: TrainingKernels;
}

/** The sets as one value. */
export function allKernels({ perception, tracking, vectors, training }: KernelSets): Kernels {
  const dispose = () => {
    for (const set of [perception, tracking, vectors, training]) set.dispose();
  };
  return { ...perception, ...tracking, ...training, ...vectors, dispose, [Symbol.dispose]: dispose };
}
