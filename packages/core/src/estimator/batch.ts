import { arrayOf, elementCount, type Tensor, type TensorData, type Tensors, type TensorSpec } from "../tensor.ts";

/** True where a model takes and gives batches of any length: axis 0 of every input and output is free. */
export function takesBatches(specs: readonly TensorSpec[]): boolean {
  return specs.length > 0 && specs.every(({ shape }) => shape[0] === -1);
}

/** Joins the inputs of several samples along axis 0, or undefined where their other axes differ. */
export function joinBatch(samples: readonly Tensors[]): Tensors | undefined {
  const joined: Record<string, Tensor> = {};
  for (const name of Object.keys(samples[0] ?? {})) {
    const parts = samples.map((sample) => sample[name]);
    const [first] = parts;
    if (!first || !parts.every((part) => part?.dtype === first.dtype && String(part.shape.slice(1)) === String(first.shape.slice(1)))) return undefined;
    const rows = parts.reduce((sum, part) => sum + part!.shape[0]!, 0);
    const shape = [rows, ...first.shape.slice(1)];
    const data = new arrayOf[first.dtype](elementCount(shape));
    let at = 0;
    for (const part of parts) {
      data.set(part!.data as never, at);
      at += part!.data.length;
    }
    joined[name] = { dtype: first.dtype, shape, data };
  }
  return joined;
}

/** Cuts outputs along axis 0 into parts of `rows` rows each. */
export function splitBatch(outputs: Tensors, rows: readonly number[]): Tensors[] {
  let from = 0;
  return rows.map((count) => {
    const part: Record<string, Tensor> = {};
    for (const [name, { dtype, shape, data }] of Object.entries(outputs)) {
      const stride = elementCount(shape.slice(1));
      const cut = data.slice(from * stride, (from + count) * stride) as TensorData;
      part[name] = { dtype, shape: [count, ...shape.slice(1)], data: cut };
    }
    from += count;
    return part;
  });
}
