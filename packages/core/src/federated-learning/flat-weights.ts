import { SednaError } from "../errors.ts";
import { elementCount, tensor, type Tensor } from "../tensor.ts";
import { flatLength } from "../wire/federation-parsers.ts";
import type { LayerSpec } from "../training/training-plan.ts";

/**
 * Returns a copy of an estimator's tensors, concatenated.
 *
 * @throws {SednaError} `model-mismatch`, with the name of the first tensor that does not match the layout.
 */
export function flattenWeights(weights: readonly Tensor[], layout: readonly LayerSpec[]): Float32Array {
  const flat = new Float32Array(flatLength(layout));
  let offset = 0;
  for (const [i, { name, shape }] of layout.entries()) {
    const one = weights[i];
    const fits =
      one?.data instanceof Float32Array &&
      one.shape.length === shape.length &&
      one.shape.every((axis, j) => axis === shape[j]);
    if (!fits)
      throw mismatch(
        `expected ${name} as float32 [${shape}]`,
        one === undefined ? `only ${weights.length} tensors` : `${one.dtype} [${one.shape}]`,
      );
    flat.set(one.data as Float32Array, offset);
    offset += one.data.length;
  }
  if (weights.length !== layout.length)
    throw mismatch(
      `expected ${layout.length} tensors (${layout.map(({ name }) => name).join(", ")})`,
      `${weights.length}`,
    );
  return flat;
}

/**
 * Splits flat parameters into the tensors of a layout. The data is copied, so that an estimator may keep it.
 */
export function splitWeights(flat: Float32Array, layout: readonly LayerSpec[]): Tensor[] {
  let offset = 0;
  return layout.map(({ shape }) => {
    const from = offset;
    offset += elementCount(shape);
    return tensor("float32", shape, flat.slice(from, offset));
  });
}

function mismatch(expected: string, got: string): SednaError {
  return new SednaError(
    `take part in a federation: ${expected}, as in its plan; got ${got} from the estimator`,
    { code: "model-mismatch" },
  );
}
