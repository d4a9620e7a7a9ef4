import { describeValue } from "../../errors.ts";
import { elementCount, type Tensor } from "../../tensor.ts";
import type { AggClient } from "../aggregator.ts";

/** Shapes of a model's layers. */
export type Layout = readonly (readonly number[])[];

/**
 * Returns the layers that all clients agree on and their total number of samples. Sedna broadcasts a later
 * client's layers to the first client's shapes and ignores surplus layers; here a model that differs from the
 * others is an error.
 * @throws {TypeError} If the number of layers or a shape differs, or `numSamples` is not a number.
 * @throws {RangeError} If a number of samples is negative or infinite, or all add up to 0, which gives NaN
 * everywhere in Sedna.
 */
export function checkClients(clients: readonly AggClient[]): {
  readonly layout: Layout;
  readonly total: number;
} {
  const layout = layoutOf(clients[0]!.weights);
  let total = 0;
  for (const [i, { numSamples, weights }] of clients.entries()) {
    if (typeof numSamples !== "number")
      throw new TypeError(
        `aggregate: expected numSamples of client ${i} as a number; got ${describeValue(numSamples)}`,
      );
    if (!(numSamples >= 0 && numSamples < Infinity))
      throw new RangeError(
        `aggregate: expected numSamples of client ${i} to be finite and at least 0; got ${numSamples}`,
      );
    sameLayout(layout, { weights, client: i });
    total += numSamples;
  }
  if (!(total > 0 && total < Infinity))
    throw new RangeError(`aggregate: expected samples that add up to a finite number above 0; got ${total}`);
  return { layout, total };
}

/** Returns the shapes of a model's layers. */
export function layoutOf(weights: readonly Tensor[]): Layout {
  if (!Array.isArray(weights))
    throw new TypeError(
      `aggregate: expected a client's weights as an array of tensors; got ${describeValue(weights)}`,
    );
  return weights.map(({ shape }) => [...shape]);
}

function sameLayout(
  layout: Layout,
  { weights, client }: { readonly weights: readonly Tensor[]; readonly client: number },
): void {
  const got = layoutOf(weights);
  if (got.length !== layout.length)
    throw new TypeError(
      `aggregate: expected ${layout.length} layers of client ${client}, as in the first client; got ${got.length}`,
    );
  for (const [i, shape] of layout.entries()) {
    const { length } = weights[i]!.data;
    if (shape.join() !== got[i]!.join() || length !== elementCount(shape))
      throw new TypeError(
        `aggregate: expected layer ${i} of client ${client} with shape [${shape}]; got [${got[i]!}] with ${length} elements`,
      );
  }
}

/** Returns all numbers of a model, layer by layer, in float64. */
export function flatten(weights: readonly Tensor[]): Float64Array {
  const flat = new Float64Array(weights.reduce((sum, { data }) => sum + data.length, 0));
  let next = 0;
  for (const { data } of weights) for (let i = 0; i < data.length; i++) flat[next++] = Number(data[i]);
  return flat;
}

/** Returns the layers of a flat model; each layer is a copy. */
export function unflatten(flat: Float64Array, layout: Layout): readonly Tensor[] {
  let next = 0;
  return layout.map((shape) => ({
    dtype: "float64",
    shape,
    data: flat.slice(next, (next += elementCount(shape))),
  }));
}
