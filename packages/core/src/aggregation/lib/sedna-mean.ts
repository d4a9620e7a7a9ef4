import type { TensorData } from "../../tensor.ts";
import type { AggClient } from "../aggregator.ts";

/**
 * Returns Sedna's FedAvg bit for bit, all layers one after the other. In float64, client by client: `sum +=
 * (w * n) / total`. For float32 tensors, the product and the quotient are rounded to float32 first, as in
 * numpy. NaN and infinities propagate as in Sedna. Integers are averaged as float64; beyond 2^53, numpy's
 * integer overflow is not reproduced. Source: `FedAvg.aggregate` in Sedna's
 * `lib/sedna/algorithms/aggregation`.
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
  // Rounding a product or quotient of two float32 numbers to float64 and then to float32 equals rounding it
  // once.
  const [samples, divisor] = [Math.fround(numSamples), Math.fround(total)];
  for (let i = 0; i < sum.length; i++) sum[i]! += Math.fround(Math.fround(data[i]! * samples) / divisor);
}
