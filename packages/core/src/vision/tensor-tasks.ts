import { SednaError } from "../errors.ts";
import type { Tensor, Tensors } from "../tensor.ts";
import type { Task } from "../estimator/task.ts";

/** Creates a task without conversion: tensors in, tensors out, by the model's own names. */
export function tensors(): Task<Tensors, Tensors> {
  return {
    bind: () => ({
      kind: "tensors",
      preprocess: async (sample) => sample,
      postprocess: (outputs) => outputs,
      dispose() {},
    }),
  };
}

/**
 * Creates a task for a classifier with one input and one output: a sample without its batch axis to its class
 * probabilities, in the miners' format.
 */
export function classifier(): Task<Tensor, Float32Array> {
  return {
    bind({ inputs, outputs }) {
      const [input, secondInput] = inputs;
      const [output, secondOutput] = outputs;
      if (!input || !output || secondInput || secondOutput) {
        throw new SednaError(
          `bind classifier: expected a model with one input and one output; got ${inputs.length} and ${outputs.length}`,
          { code: "model-mismatch" },
        );
      }
      return {
        kind: "tensors",
        preprocess: async (sample) => ({ [input.name]: { ...sample, shape: [1, ...sample.shape] } }),
        postprocess: (results) => (results[output.name] as Tensor).data as Float32Array,
        dispose() {},
      };
    },
  };
}
