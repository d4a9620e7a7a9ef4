/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { openBackend } from "../module/lifetime.ts";
import { createHeadTrainer, type HeadStore, type HeadTrainer } from "./head-trainer.ts";
import { checkHeadTraining, type HeadTrainerOptions, type HeadTraining } from "./head-training.ts";

/**
 * The kernels that train small heads on frozen features.
 *
 * Bad input throws before anything is touched: a TypeError for a wrong kind of value, a RangeError for
 * a wrong value. After `dispose` every call throws an Error.
 */
export interface TrainingKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * A trainer of a small classifier on frozen features, with memory of its own for a copy of the samples. The same
   * options give the same bits each time. Backends add up in another order: after five epochs their parameters
   * are within 3e-5 of the largest one. Where a gradient is 0 but for rounding (all classes equally often in a batch,
   * from zeros), Adam makes a step of that rounding, and they may be further apart.
   */
  headTrainer(options: HeadTrainerOptions): HeadTrainer;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** One way to compute the training kernels. Arguments have been checked. */
interface TrainingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  headTrainer(training: HeadTraining): HeadStore;
}

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
