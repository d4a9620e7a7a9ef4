import { createTrainingKernels, type TrainingKernels } from "../training-kernels.ts";

import { referenceHeadStore } from "./head-store.ts";

/** Creates the reference training kernels: simple loops in plain TypeScript. */
export function referenceTrainingKernels(): TrainingKernels {
  return createTrainingKernels({ name: "reference", headTrainer: referenceHeadStore });
}
