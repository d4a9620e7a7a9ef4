import { arrayOf, elementCount, type Tensor, type TensorData, type Tensors } from "../tensor.ts";

/** The inputs of several samples, joined along axis 0, and the number of rows of each sample. */
export interface JoinedBatch {
  readonly joined: Tensors;
  readonly rows: readonly number[];
}

/**
 * Joins the inputs of several samples along axis 0.
 * @throws {TypeError} If their types or other axes differ, or the inputs of a sample have different numbers
 * of rows.
 */
export function joinBatch(samples: readonly Tensors[]): JoinedBatch {
  const joined: Record<string, Tensor> = {};
  const rows = samples.map((sample) => Object.values(sample)[0]?.shape[0] ?? 0);
  const total = rows.reduce((sum, count) => sum + count, 0);
  for (const name of Object.keys(samples[0] ?? {})) {
    const parts = samples.map((sample) => sample[name]);
    const [first] = parts;
    const alike = parts.every(
      (part, i) =>
        part?.dtype === first?.dtype &&
        part?.shape[0] === rows[i] &&
        String(part?.shape.slice(1)) === String(first?.shape.slice(1)),
    );
    if (!first || !alike)
      throw new TypeError(`run a batch: expected the input ${name} of one shape in all samples; got several`);
    const shape = [total, ...first.shape.slice(1)];
    const data = new arrayOf[first.dtype](elementCount(shape));
    let at = 0;
    for (const part of parts) {
      data.set(part!.data as never, at);
      at += part!.data.length;
    }
    joined[name] = { dtype: first.dtype, shape, data };
  }
  return { joined, rows };
}

/**
 * Splits outputs along axis 0 into parts of `rows` rows each.
 * @throws {TypeError} If an output has another total of rows, so that its rows cannot be assigned to samples.
 */
export function splitBatch(outputs: Tensors, rows: readonly number[]): Tensors[] {
  const total = rows.reduce((sum, count) => sum + count, 0);
  for (const [name, { shape }] of Object.entries(outputs)) {
    if (shape[0] !== total)
      throw new TypeError(`run a batch: expected ${total} rows of the output ${name}; got [${shape}]`);
  }
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
