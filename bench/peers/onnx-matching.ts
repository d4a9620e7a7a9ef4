import type { Gallery } from "./peer.ts";

/** Options of {@link matchingModel}. */
export interface MatchingModelOptions {
  readonly gallery: Gallery;
  readonly queries: number;
  readonly top: number;
  /**
   * `columns`: `queries [M, D] x gallery [D, N]`, with the gallery transposed. `rows`: `gallery [N, D] x
   * queries [D, M]`, with the gallery as given and the queries transposed.
   */
  readonly layout: "columns" | "rows";
}

type Part = Uint8Array | readonly Part[];

const FLOAT = 1;
const INT64 = 7;

/**
 * Returns an ONNX model of MatMul and TopK with the gallery as a constant, so that a runtime may pack it
 * once. Input `queries`, outputs `scores` and `rows` (int64): `[M, top]`, or `[top, M]` for layout `rows`.
 *
 * Source: onnx/onnx.proto.
 */
export function matchingModel({
  gallery: { values, count, dimensions },
  queries,
  top,
  layout,
}: MatchingModelOptions): Uint8Array<ArrayBuffer> {
  const columns = layout === "columns";
  const galleryShape = columns ? [dimensions, count] : [count, dimensions];
  const queryShape = columns ? [queries, dimensions] : [dimensions, queries];
  const outShape = columns ? [queries, top] : [top, queries];
  const data = columns ? transposed(values, dimensions) : values;
  const operands = columns ? ["queries", "gallery"] : ["gallery", "queries"];
  const axis = message(5, [text(1, "axis"), varint(3, columns ? 1 : 0), varint(20, 2)]);
  const graph = [
    message(1, [...operands.map((name) => text(1, name)), text(2, "products"), text(4, "MatMul")]),
    message(1, [
      text(1, "products"),
      text(1, "top"),
      text(2, "scores"),
      text(2, "rows"),
      text(4, "TopK"),
      axis,
    ]),
    text(2, "matching"),
    message(5, tensor("gallery", { type: FLOAT, shape: galleryShape, data })),
    message(5, tensor("top", { type: INT64, shape: [1], data: BigInt64Array.of(BigInt(top)) })),
    message(11, value("queries", { type: FLOAT, shape: queryShape })),
    message(12, value("scores", { type: FLOAT, shape: outShape })),
    message(12, value("rows", { type: INT64, shape: outShape })),
  ];
  return joined([varint(1, 8), message(7, graph), message(8, [text(1, ""), varint(2, 13)])]);
}

/** Transposes rows of `dimensions` values: `[N, D]` to `[D, N]`. */
export function transposed(values: Float32Array, dimensions: number): Float32Array<ArrayBuffer> {
  const count = values.length / dimensions;
  const out = new Float32Array(values.length);
  // Transpose in tiles; otherwise each write would miss the cache.
  const tile = 32;
  for (let first = 0; first < count; first += tile) {
    const last = Math.min(first + tile, count);
    for (let d = 0; d < dimensions; d++)
      for (let i = first; i < last; i++) out[d * count + i] = values[i * dimensions + d]!;
  }
  return out;
}

interface Shaped {
  readonly type: number;
  readonly shape: readonly number[];
}

function tensor(
  name: string,
  { type, shape, data }: Shaped & { readonly data: Float32Array | BigInt64Array },
): Part {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...shape.map((axis) => varint(1, axis)), varint(2, type), text(8, name), message(9, [bytes])];
}

function value(name: string, { type, shape }: Shaped): Part {
  const axes = shape.map((axis) => message(1, [varint(1, axis)]));
  return [text(1, name), message(2, [message(1, [varint(1, type), message(2, axes)])])];
}

function length(part: Part): number {
  return part instanceof Uint8Array ? part.length : part.reduce((sum, one) => sum + length(one), 0);
}

function joined(part: Part): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length(part));
  let at = 0;
  const write = (one: Part): void => {
    if (!(one instanceof Uint8Array)) return one.forEach(write);
    out.set(one, at);
    at += one.length;
  };
  write(part);
  return out;
}

function digits(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...digits(Math.floor(value / 128))];
}

function varint(field: number, value: number): Part {
  return Uint8Array.from([...digits(field * 8), ...digits(value)]);
}

function message(field: number, parts: Part): Part {
  return [Uint8Array.from([...digits(field * 8 + 2), ...digits(length(parts))]), parts];
}

function text(field: number, value: string): Part {
  return message(field, new TextEncoder().encode(value));
}
