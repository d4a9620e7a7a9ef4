import { afterAll, beforeAll } from "vitest";
import { headTrainerSuite } from "./head-trainer.suite.ts";
import type { TrainingKernels } from "./training-kernels.ts";

/** What a backend of the training kernels must do. Call it inside a `describe`. */
export function trainingSuite(make: () => Promise<TrainingKernels>): void {
  let made: TrainingKernels | undefined;
  const kernels = () => {
    if (made === undefined) throw new Error("kernels are made before the tests run");
    return made;
  };
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.dispose());

  headTrainerSuite({ kernels, make });
}
