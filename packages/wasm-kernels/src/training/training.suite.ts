import { headTrainerSuite } from "./head-trainer.suite.ts";
import type { TrainingKernels } from "./training-kernels.ts";
import { underTest } from "../module/under-test.suite.ts";

/** Tests that a backend of the training kernels must pass. Call it inside a `describe`. */
export function trainingSuite(make: () => Promise<TrainingKernels>): void {
  const kernels = underTest(make);

  headTrainerSuite({ kernels, make });
}
