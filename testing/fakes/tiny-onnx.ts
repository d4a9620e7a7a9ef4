// ONNX models of a hundred bytes for tests: one node, encoded as protobuf by hand.
import { bytes, integer, join, text, type Chunks } from "../../packages/core/src/heads/protobuf.ts";

/** Options of {@link tinyOnnx}. */
export interface TinyOnnxOptions {
  /** Operator with one or two inputs. With two, both are `x`. Default `Add`: y = x + x. */
  readonly op?: string;
  readonly inputs?: 1 | 2;
  /** Shape of `x` and `y`; a string is a free axis. Default ["n", 4]. */
  readonly shape?: readonly (number | string)[];
  /** Shape of `y`, if it differs. */
  readonly outputShape?: readonly (number | string)[];
  /** ONNX's number of the element type: 1 is float32, 7 int64. Default 1. */
  readonly type?: number;
  /** Name of an external data file with four float32, which are then the operator's second input. */
  readonly weights?: string;
}

/** Returns the bytes of a model with input `x` and output `y`. Source: onnx/onnx.proto. */
export function tinyOnnx({
  op = "Add",
  inputs = 2,
  shape = ["n", 4],
  outputShape = shape,
  type = 1,
  weights,
}: TinyOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  const dims = (axes: readonly (number | string)[]): Chunks =>
    axes.flatMap((axis) => bytes(1, typeof axis === "number" ? integer(1, axis) : text(2, axis)));
  const value = (name: string, axes: readonly (number | string)[]): Chunks => [
    ...text(1, name),
    ...bytes(2, bytes(1, [...integer(1, type), ...bytes(2, dims(axes))])),
  ];
  const names = weights === undefined ? Array.from({ length: inputs }, () => "x") : ["x", "w"];
  const external =
    weights === undefined
      ? []
      : bytes(5, [
          ...integer(1, 4),
          ...integer(2, 1),
          ...text(8, "w"),
          ...bytes(13, [...text(1, "location"), ...text(2, weights)]),
          ...integer(14, 1),
        ]);
  const node = [...names.flatMap((name) => text(1, name)), ...text(2, "y"), ...text(4, op)];
  const graph = [
    ...bytes(1, node),
    ...text(2, "tiny"),
    ...external,
    ...bytes(11, value("x", shape)),
    ...bytes(12, value("y", outputShape)),
  ];
  return join([...integer(1, 8), ...bytes(7, graph), ...bytes(8, [...text(1, ""), ...integer(2, 13)])]);
}
