import type { Head } from "@sedna-js/wasm-kernels";
import { describeValue } from "../errors.ts";
import { tensor, type Tensor, type Tensors } from "../tensor.ts";

/** A tensor of a head and the position of its elements in the flat parameters. */
export interface HeadTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/**
 * Returns the tensors of a head in the order of the flat parameters of `headTrainer`: `weight` `[classes,
 * features]` and `bias` of a softmax; `hidden.weight` `[hidden, features]`, `hidden.bias`, `output.weight`
 * `[classes, hidden]` and `output.bias` of an MLP. The names are those of PyTorch's state dicts.
 * @throws {TypeError} If the head is of another kind.
 */
export function headLayout(head: Head): HeadTensor[] {
  const { kind } = head as { readonly kind: unknown };
  if (kind !== "softmax" && kind !== "mlp")
    throw new TypeError(`lay out a head: expected kind softmax or mlp; got ${describeValue(kind)}`);
  const shapes: readonly (readonly [name: string, shape: readonly number[]])[] =
    head.kind === "softmax"
      ? [
          ["weight", [head.classes, head.features]],
          ["bias", [head.classes]],
        ]
      : [
          ["hidden.weight", [head.hidden, head.features]],
          ["hidden.bias", [head.hidden]],
          ["output.weight", [head.classes, head.hidden]],
          ["output.bias", [head.classes]],
        ];
  let offset = 0;
  return shapes.map(([name, shape]) => {
    const length = shape.reduce((product, axis) => product * axis, 1);
    offset += length;
    return { name, shape, offset: offset - length, length };
  });
}

/**
 * Returns flat parameters as tensors by name. The data are copied.
 * @throws {TypeError} If there are more or fewer parameters than the head has.
 */
export function tensorsOf(head: Head, flat: Float32Array): Record<string, Tensor> {
  const layout = headLayout(head);
  checkLength(layout, flat);
  return Object.fromEntries(
    layout.map(({ name, shape, offset, length }) => [
      name,
      tensor("float32", shape, flat.slice(offset, offset + length)),
    ]),
  );
}

/**
 * Returns tensors by name as flat parameters. Tensors with other names are ignored.
 * @throws {TypeError} If a tensor is missing or has another type or shape; the message names it.
 */
export function flatOf(head: Head, tensors: Tensors): Float32Array {
  const layout = headLayout(head);
  const flat = new Float32Array(layout.reduce((sum, { length }) => sum + length, 0));
  for (const { name, shape, offset } of layout) {
    const one = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    const fits =
      one?.dtype === "float32" &&
      one.data instanceof Float32Array &&
      one.shape.length === shape.length &&
      one.shape.every((axis, i) => axis === shape[i]);
    if (!fits)
      throw new TypeError(
        `flatten a head: expected ${name} as float32 [${shape}]; got ${one === undefined ? `only ${Object.keys(tensors).join(", ") || "no tensors"}` : `${one.dtype} [${one.shape}]`}`,
      );
    flat.set(tensor(one.dtype, shape, one.data).data as Float32Array, offset);
  }
  return flat;
}

/**
 * Checks that `flat` has exactly the parameters of the layout.
 * @throws {TypeError} If it has more or fewer, or is not a Float32Array.
 */
export function checkLength(layout: readonly HeadTensor[], flat: Float32Array): void {
  if (Object.prototype.toString.call(flat) !== "[object Float32Array]")
    throw new TypeError(`read a head's parameters: expected a Float32Array; got ${describeValue(flat)}`);
  const { offset, length } = layout.at(-1)!;
  if (flat.length !== offset + length)
    throw new TypeError(`read a head's parameters: expected ${offset + length} of them; got ${flat.length}`);
}
