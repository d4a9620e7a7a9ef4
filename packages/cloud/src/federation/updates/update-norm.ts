import { fromHalves, type ModelUpdate } from "@sedna-js/wasm-kernels";

/** Returns the Euclidean norm of an update, in f64. The norm is not finite if a value is not. */
export function updateNorm(change: ModelUpdate): number {
  switch (change.encoding) {
    case "f32":
    case "topk":
      return Math.sqrt(squares(change.values));
    case "f16":
      return Math.sqrt(squares(fromHalves(change.values)));
    case "int8":
      return Math.fround(change.scale) * Math.sqrt(squares(change.values));
    default:
      return change satisfies never;
  }
}

/**
 * Multiplies an update by `factor`. The encoding stays the same, except that f16 becomes f32. May overwrite
 * the values of the argument.
 */
export function scaleUpdate(change: ModelUpdate, factor: number): ModelUpdate {
  switch (change.encoding) {
    case "f32":
    case "topk":
      for (let i = 0; i < change.values.length; i++) change.values[i]! *= factor;
      return change;
    case "f16":
      return scaleUpdate({ encoding: "f32", values: fromHalves(change.values) }, factor);
    case "int8":
      return { ...change, scale: change.scale * factor };
    default:
      return change satisfies never;
  }
}

/** Returns a copy of an update with its own memory. */
export function copyUpdate(change: ModelUpdate): ModelUpdate {
  switch (change.encoding) {
    case "f32":
      return { ...change, values: change.values.slice() };
    case "f16":
      return { ...change, values: change.values.slice() };
    case "int8":
      return { ...change, values: change.values.slice() };
    case "topk":
      return { ...change, values: change.values.slice(), indices: change.indices.slice() };
    default:
      return change satisfies never;
  }
}

/**
 * Returns the sum of squares. Four independent sums run in parallel; a single sum would wait for each
 * addition.
 */
function squares(values: Float32Array | Int8Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (const end = values.length - 3; i < end; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (; i < values.length; i++) a += values[i]! * values[i]!;
  return a + b + c + d;
}

/** Returns the vector, scaled down to the Euclidean norm `most` if it exceeds it. */
export function clipToNorm(values: Float32Array, most = Infinity): Float32Array {
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm > most ? values.map((value) => (value * most) / norm) : values;
}
