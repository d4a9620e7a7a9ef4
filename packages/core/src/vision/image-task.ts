import type { PerceptionKernels } from "@sedna-js/wasm-kernels";
import type { Task } from "../estimator/task.ts";
import type { Tensors, TensorSpec } from "../tensor.ts";
import type { Frame } from "./frame.ts";
import { createImageInput, type Geometry, type ImageInput, type ImageInputSpec } from "./image-input.ts";

/** Options of {@link imageTask}. */
export interface ImageTaskOptions<Result> {
  /** Name of the task in error messages. */
  readonly name: string;
  readonly input: ImageInputSpec;
  /**
   * Checks the model's outputs and returns a function that reads them.
   * @throws {SednaError} `model-mismatch` If the outputs do not fit.
   */
  bindOutputs(model: {
    readonly outputs: readonly TensorSpec[];
    readonly kernels: PerceptionKernels;
    readonly input: ImageInput;
  }): (outputs: Tensors, geometry: Geometry, frame: Frame) => Result;
}

/**
 * Creates a task on frames: the image becomes the model's single image input, and `bindOutputs` reads the
 * outputs.
 */
export function imageTask<Result>({
  name,
  input: spec,
  bindOutputs,
}: ImageTaskOptions<Result>): Task<Frame, Result> {
  return {
    bind({ inputs, outputs, kernels }) {
      const input = createImageInput(inputs, { kernels, spec, task: name });
      const read = bindOutputs({ outputs, kernels, input });
      const geometries = new WeakMap<Frame, Geometry>();

      return {
        kind: "image",
        async preprocess(frame) {
          const { tensor, geometry } = await input.convert(frame);
          geometries.set(frame, geometry);
          return { [input.name]: tensor };
        },
        postprocess: (results, frame) => read(results, geometries.get(frame)!, frame),
        dispose: () => input.dispose(),
      };
    },
  };
}
