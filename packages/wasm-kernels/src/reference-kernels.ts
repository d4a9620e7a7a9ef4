import { allKernels, type Kernels } from "./kernels.ts";
import { referencePerceptionKernels } from "./perception/reference/reference-perception-kernels.ts";
import { referenceTrackingKernels } from "./tracking/reference/reference-tracking-kernels.ts";
import { referenceTrainingKernels } from "./training/reference/reference-training-kernels.ts";
import { referenceVectorKernels } from "./vectors/reference/reference-vector-kernels.ts";

/**
 * The slow twin: the same kernels as obvious loops in plain TypeScript. It is the oracle that the fast
 * kernels are tested against, and the fallback where WebAssembly is refused.
 */
export function referenceKernels(): Kernels {
  return allKernels({
    perception: referencePerceptionKernels(),
    tracking: referenceTrackingKernels(),
    vectors: referenceVectorKernels(),
    training: referenceTrainingKernels(),
  });
}
