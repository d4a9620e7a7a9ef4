import { describeValue } from "./errors.ts";

/** Element types of tensors, by ONNX Runtime's names. */
export type DType =
  | "float32"
  | "float64"
  | "int32"
  | "int64"
  | "uint8"
  | "int8"
  | "int16"
  | "uint16"
  | "bool";

/** Typed arrays that hold a tensor's elements. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array;

/** A dense array, row-major: the last axis of `shape` varies fastest in `data`. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Tensors by name, as a model's inputs and outputs. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** Specification of a model's input or output. An axis of -1 has any length. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Typed array for each dtype. */
export const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  bool: Uint8Array,
} as const satisfies Record<DType, unknown>;

/** Returns the number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

/**
 * Returns a tensor.
 * @throws {TypeError} If the length of `data` does not match `shape`.
 *
 * @example
 * ```ts
 * import { tensor, toNested } from "@sedna-js/core";
 *
 * console.log(toNested(tensor("float32", [2, 2], Float32Array.of(1, 2, 3, 4)))); // => [[1,2],[3,4]]
 * ```
 */
export function tensor(dtype: DType, shape: readonly number[], data: TensorData): Tensor {
  if (data.length !== elementCount(shape)) {
    throw new TypeError(
      `make a tensor: expected ${elementCount(shape)} elements for shape [${shape}]; got ${data.length}`,
    );
  }
  return { dtype, shape, data };
}

/** Maximum number of axes. No model has more; deeper nesting is an attack on the stack. */
const MAX_AXES = 16;

/**
 * Creates a tensor from nested lists, as in JSON.
 * @throws {TypeError} If the lists are ragged, or contain values other than numbers and booleans, or values
 * that do not fit `dtype`.
 */
export function fromNested(nested: unknown, dtype: DType = "float32"): Tensor {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_AXES)
      throw new TypeError(`read nested lists: expected at most ${MAX_AXES} axes; got more`);
  }
  // Collect the values before allocating: later rows may be shorter than the first row implies.
  const values: (number | bigint)[] = [];
  const fill = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value !== "number" && typeof value !== "boolean") {
        throw new TypeError(`read nested lists: expected numbers; got ${describeValue(value)}`);
      }
      if (dtype === "int64" && !Number.isSafeInteger(Number(value)))
        throw new TypeError(`read nested lists: expected values that fit int64; got ${describeValue(value)}`);
      values.push(dtype === "int64" ? BigInt(value) : Number(value));
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      throw new TypeError(
        `read nested lists: expected ${shape[axis]} entries on axis ${axis}; got ${describeValue(value)}`,
      );
    }
    for (const entry of value) fill(entry, axis + 1);
  };
  fill(nested, 0);
  const data = new arrayOf[dtype](values as never) as TensorData;
  if (!dtype.startsWith("float")) {
    const misfit = values.findIndex((value, i) => data[i] !== value);
    if (misfit >= 0)
      throw new TypeError(
        `read nested lists: expected values that fit ${dtype}; got ${describeValue(values[misfit])}`,
      );
  }
  return { dtype, shape, data };
}

/** Returns a tensor as nested lists for JSON. int64 elements become numbers. */
export function toNested({ shape, data }: Tensor): unknown {
  let next = 0;
  const build = (axis: number): unknown =>
    axis === shape.length
      ? Number(data[next++])
      : Array.from({ length: shape[axis]! }, () => build(axis + 1));
  return build(0);
}

/** Returns true if a tensor of `shape` fits `spec`. An axis of -1 in the spec fits any length. */
export function matchesSpec(shape: readonly number[], spec: Pick<TensorSpec, "shape">): boolean {
  return (
    shape.length === spec.shape.length && spec.shape.every((axis, i) => axis === -1 || axis === shape[i])
  );
}

/**
 * Checks that tensors match a model's inputs.
 * @throws {TypeError} If an input is missing or does not match; the message names it.
 */
export function checkInputs(specs: readonly TensorSpec[], given: Tensors): void {
  for (const spec of specs) {
    const one = given[spec.name];
    if (one === undefined)
      throw new TypeError(
        `run the model: expected the inputs ${specs.map(({ name }) => name).join(", ")}; got ${Object.keys(given).join(", ") || "none"}`,
      );
    if (one.dtype !== spec.dtype || !matchesSpec(one.shape, spec)) {
      throw new TypeError(
        `run the model: expected ${spec.name} as ${spec.dtype} [${spec.shape}]; got ${one.dtype} [${one.shape}]`,
      );
    }
  }
}
