import type { PerceptionKernels } from "@sedna-js/wasm-kernels";
import type { EstimatorMetadata } from "./estimator.ts";
import type { Tensors, TensorSpec } from "../tensor.ts";

/** A task that is bound to a model: its two halves around `session.run`. */
export interface BoundTask<Sample, Result> {
  readonly kind: EstimatorMetadata["kind"];
  /** The sample as the model's inputs. The tensors may be views that the next call overwrites. */
  preprocess(sample: Sample): Promise<Tensors>;
  /** The model's outputs as the task's result. */
  postprocess(outputs: Tensors, sample: Sample): Result;
  dispose(): void;
}

/** What a model is for: how samples become its inputs and its outputs become results. */
export interface Task<Sample, Result> {
  /**
   * Checks that the model is one for this task and prepares the kernels for it.
   * @throws {SednaError} `model-mismatch` naming the inputs or outputs that were expected.
   */
  bind(model: {
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
    readonly kernels: PerceptionKernels;
  }): BoundTask<Sample, Result>;
}
