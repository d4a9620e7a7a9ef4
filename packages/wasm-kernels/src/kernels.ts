import type { PerceptionKernels } from "./perception/perception-kernels.ts";
import type { TrackingKernels } from "./tracking/tracking-kernels.ts";
import type { TrainingKernels } from "./training/training-kernels.ts";
import type { VectorKernels } from "./vectors/vector-kernels.ts";

/**
 * All kernels. `backend` is the backend of the vector kernels, because only they have a module with relaxed
 * SIMD.
 */
export interface Kernels
  extends
    Omit<PerceptionKernels, "backend">,
    Omit<TrackingKernels, "backend">,
    Omit<TrainingKernels, "backend">,
    VectorKernels {}

/** The four kernel sets, each with its own instance. */
export interface KernelSets {
  readonly perception: PerceptionKernels;
  readonly tracking: TrackingKernels;
  readonly vectors: VectorKernels;
  readonly training: TrainingKernels;
}

/** Combines the four kernel sets into one object. */
export function allKernels({ perception, tracking, vectors, training }: KernelSets): Kernels {
  const dispose = () => {
    for (const set of [perception, tracking, vectors, training]) set.dispose();
  };
  return { ...perception, ...tracking, ...training, ...vectors, dispose, [Symbol.dispose]: dispose };
}
