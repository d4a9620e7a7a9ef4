import type { TensorData } from "../../tensor.ts";
import type { AggClient } from "../aggregator.ts";

/**
 * Sedna's FedAvg to the bit, all layers one after the other: in float64, client by client, `sum += (w * n) /
 * total`; of float32 tensors the product and the quotient are rounded to float32 first, as numpy does. NaN
 * and infinities go where they go in Sedna. Integers are averaged as float64; numpy's own overflow beyond
 * 2^53. Source: `FedAvg.aggregate` in Sedna's `lib/sedna/algorithms/aggregation`.
 */
export function sednaMean(clients: readonly AggClient[], total: number): Float64Array {
  const sum = new Float64Array(clients[0]!.weights.reduce((length, { data }) => length + data.length, 0));
  for (const { numSamples, weights } of clients) {
    let next = 0;
    for (const { data } of weights) {
      addLayer(sum.subarray(next, next + data.length), { data, numSamples, total });
      next += data.length;
    }
  }
  return sum;
}

/** Options of {@link addLayer}. */
interface AddLayerOptions {
  readonly data: TensorData;
  readonly numSamples: number;
  readonly total: number;
}

function addLayer(sum: Float64Array, { data, numSamples, total }: AddLayerOptions): void {
  if (!(data instanceof Float32Array)) {
    for (let i = 0; i < sum.length; i++) sum[i]! += (Number(data[i]) * numSamples) / total;
    return;
  }
  // A product or a quotient of two float32 that is rounded to float64 and then to float32 is the one rounded
  // once.
  const [samples, divisor] = [Math.fround(numSamples), Math.fround(total)];
  for (let i = 0; i < sum.length; i++) sum[i]! += Math.fround(Math.fround(data[i]! * samples) / divisor);
}
