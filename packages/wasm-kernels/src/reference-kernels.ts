import { allKernels, type Kernels } from "./kernels.ts";
import { referencePerceptionKernels } from "./perception/reference/reference-perception-kernels.ts";
import { referenceTrackingKernels } from "./tracking/reference/reference-tracking-kernels.ts";
import { referenceTrainingKernels } from "./training/reference/reference-training-kernels.ts";
import { referenceVectorKernels } from "./vectors/reference/reference-vector-kernels.ts";

/**
 * Creates the reference kernels: the same kernels as simple loops in plain TypeScript. The WebAssembly
 * kernels are tested against them, and they are the fallback if WebAssembly is not available.
 */
export function referenceKernels(): Kernels {
  return allKernels({
    perception: referencePerceptionKernels(),
    tracking: referenceTrackingKernels(),
    vectors: referenceVectorKernels(),
    training: referenceTrainingKernels(),
  });
}
