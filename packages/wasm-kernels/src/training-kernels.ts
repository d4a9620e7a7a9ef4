/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "./backend.ts";
import type { HeadTrainer } from "./head-trainer.ts";
import type { HeadTrainerOptions } from "./head-training.ts";

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
