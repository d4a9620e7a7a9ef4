// ONNX models of a hundred bytes for tests: one node, written as protobuf by hand.

/** Options of {@link tinyOnnx}. */
export interface TinyOnnxOptions {
  /** An operator of one or two inputs; with two, the second is the first again. Default `Add`: y = x + x. */
  readonly op?: string;
  readonly inputs?: 1 | 2;
  /** Shape of `x` and `y`; a string is a free axis. Default ["n", 4]. */
  readonly shape?: readonly (number | string)[];
  /** Shape of `y` where it differs. */
  readonly outputShape?: readonly (number | string)[];
  /** ONNX's number of the element type: 1 is float32, 7 int64. Default 1. */
  readonly type?: number;
}

/** The bytes of a model with input `x` and output `y`. Source: onnx/onnx.proto. */
export function tinyOnnx({ op = "Add", inputs = 2, shape = ["n", 4], outputShape = shape, type = 1 }: TinyOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  const dims = (axes: readonly (number | string)[]): number[] => axes.flatMap((axis) => message(1, typeof axis === "number" ? varint(1, axis) : text(2, axis)));
  const value = (name: string, axes: readonly (number | string)[]): number[] => [...text(1, name), ...message(2, message(1, [...varint(1, type), ...message(2, dims(axes))]))];
  const node = [...Array.from({ length: inputs }, () => text(1, "x")).flat(), ...text(2, "y"), ...text(4, op)];
  const graph = [...message(1, node), ...text(2, "tiny"), ...message(11, value("x", shape)), ...message(12, value("y", outputShape))];
  return Uint8Array.from([...varint(1, 8), ...message(7, graph), ...message(8, [...text(1, ""), ...varint(2, 13)])]);
}

function raw(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...raw(value >>> 7)];
}

function varint(field: number, value: number): number[] {
  return [...raw(field << 3), ...raw(value)];
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...raw((field << 3) | 2), ...raw(bytes.length), ...bytes];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}
