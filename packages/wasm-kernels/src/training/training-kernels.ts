/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { disposableBackend } from "../module/lifetime.ts";
import { createHeadTrainer, type HeadStore, type HeadTrainer } from "./head-trainer.ts";
import { checkHeadTraining, type HeadTrainerOptions, type HeadTraining } from "./head-training.ts";

/**
 * Kernels that train small heads on frozen features.
 *
 * Invalid input throws before anything is modified: a TypeError for a value of the wrong type, a RangeError
 * for a value out of range. After `dispose` every call throws an Error.
 */
export interface TrainingKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * Creates a trainer of a small classifier on frozen features, with its own memory for a copy of the
   * samples. The same options give the same bits each time. Backends sum in a different order: after five
   * epochs their parameters differ by at most 3e-5 of the largest parameter. If a gradient is 0 except for
   * rounding (all classes equally often in a batch, starting from zeros), Adam turns the rounding error into
   * a step, and the difference may be larger.
   */
  headTrainer(options: HeadTrainerOptions): HeadTrainer;

  /** Releases all memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Backend of the training kernels. Arguments are already validated. */
interface TrainingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  headTrainer(training: HeadTraining): HeadStore;
}

/**
 * Creates the public training kernels over a backend. Arguments are validated here, once for all backends.
 */
export function createTrainingKernels(backend: TrainingBackend): TrainingKernels {
  const { opened, dispose } = disposableBackend(backend);
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
