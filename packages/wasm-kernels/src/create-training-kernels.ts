import type { TrainingBackend } from "./backend.ts";
import { createHeadTrainer } from "./head-trainer.ts";
import { checkHeadTraining } from "./head-training.ts";
import { openBackend } from "./lifetime.ts";
import type { TrainingKernels } from "./training-kernels.ts";

/** The public training kernels over a backend: every check is made here, once for all backends. */
export function createTrainingKernels(backend: TrainingBackend): TrainingKernels {
  const { opened, dispose } = openBackend(backend);
  return {
    backend: backend.name,
    headTrainer(options) {
      const training = checkHeadTraining(options);
      return createHeadTrainer(training, {
        makeStore: () => opened("headTrainer").headTrainer(training),
        assertOpen: opened,
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
