import { createTrainingKernels, type TrainingKernels } from "../training-kernels.ts";

import { referenceHeadStore } from "./head-store.ts";

/** The slow twin of the training kernels: obvious loops in plain TypeScript. */
export function referenceTrainingKernels(): TrainingKernels {
  return createTrainingKernels({ name: "reference", headTrainer: referenceHeadStore });
}
