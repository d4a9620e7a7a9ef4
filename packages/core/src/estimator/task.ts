import type { PerceptionKernels } from "@sedna-js/wasm-kernels";
import type { EstimatorMetadata } from "./estimator.ts";
import type { Tensors, TensorSpec } from "../tensor.ts";

/** A task that is bound to a model: the steps before and after `session.run`. */
export interface BoundTask<Sample, Result> {
  readonly kind: EstimatorMetadata["kind"];
  /** Converts a sample to the model's inputs. The next call may overwrite the returned tensors. */
  preprocess(sample: Sample): Promise<Tensors>;
  /** Converts the model's outputs to the task's result. */
  postprocess(outputs: Tensors, sample: Sample): Result;
  dispose(): void;
}

/** Purpose of a model: how samples become its inputs and its outputs become results. */
export interface Task<Sample, Result> {
  /**
   * Checks that the model fits this task and prepares the kernels for it.
   * @throws {SednaError} `model-mismatch` If the model does not fit; the message names the expected inputs or
   * outputs.
   */
  bind(model: {
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
    readonly kernels: PerceptionKernels;
  }): BoundTask<Sample, Result>;
}
