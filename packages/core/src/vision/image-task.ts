import type { PerceptionKernels } from "@sedna-js/wasm-kernels";
import type { Task } from "../estimator/task.ts";
import type { Tensors, TensorSpec } from "../tensor.ts";
import type { Frame } from "./frame.ts";
import { createImageInput, type Geometry, type ImageInput, type ImageInputSpec } from "./image-input.ts";

/** What is particular to a task on pictures. */
export interface ImageTaskOptions<Result> {
  /** The task's name in errors. */
  readonly name: string;
  readonly input: ImageInputSpec;
  /**
   * Checks the model's outputs and returns what reads them.
   * @throws {SednaError} `model-mismatch`.
   */
  bindOutputs(model: {
    readonly outputs: readonly TensorSpec[];
    readonly kernels: PerceptionKernels;
    readonly input: ImageInput;
  }): (outputs: Tensors, geometry: Geometry, frame: Frame) => Result;
}

/**
 * A task from frames: the picture becomes the model's one image input, `bindOutputs` reads what comes out.
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
