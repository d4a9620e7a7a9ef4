import { WireError } from "../errors.ts";

// An ONNX file can refer to weights in other files, by any path. A runtime with access to a file system would
// read them, so the paths are read here first, without a runtime.
//
//   ModelProto.graph 7 -> GraphProto { node 1, initializer 5, sparse_initializer 15 }
//   ModelProto.functions 25 -> FunctionProto.node 7; NodeProto.attribute 5 -> AttributeProto { t 5, g 6,
//   tensors 10, graphs 11, sparse 22, 23 }
//   TensorProto { external_data 13 -> { key 1, value 2 }, data_location 14 }
//
// Source: onnx/onnx.proto.

/** Maximum depth of graphs within graphs and attributes within nodes; no model is deeper. */
const MAX_DEPTH = 64;

type Kind = "model" | "graph" | "node" | "function" | "attribute" | "tensor" | "sparse" | "training";

/** Fields that lead to tensors, by the type of their message. */
const ways: Readonly<Record<Kind, Readonly<Record<number, Kind>>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  function: { 7: "node", 11: "attribute" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
};

/**
 * Returns the files that an ONNX model refers to for its weights, without duplicates, exactly as the model
 * writes them.
 *
 * @throws {WireError} If the bytes are not a protobuf of this structure.
 */
export function onnxReferences(model: Uint8Array): string[] {
  const found = new Set<string>();
  walk(model, { kind: "model", depth: 0, found });
  // An entry for only an offset or a checksum refers to no file.
  found.delete("");
  return [...found];
}

/** Options of {@link walk}. */
interface WalkOptions {
  readonly kind: Kind;
  readonly depth: number;
  readonly found: Set<string>;
}

function walk(bytes: Uint8Array, { kind, depth, found }: WalkOptions): void {
  if (depth > MAX_DEPTH)
    throw new WireError(`read an ONNX model: expected at most ${MAX_DEPTH} levels; got more`);
  for (const { field, value } of fields(bytes)) {
    if (kind === "tensor" && field === 13) found.add(location(value));
    const next = ways[kind][field];
    if (next) walk(value, { kind: next, depth: depth + 1, found });
  }
}

/**
 * Returns the path in an entry of `external_data`. Other entries, such as an offset, contain no path and
 * return "".
 */
function location(entry: Uint8Array): string {
  let key = "";
  let path = "";
  // Decode it unchanged: a name that starts with a byte order mark is a different name.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const { field, value } of fields(entry)) {
    if (field === 1) key = decoder.decode(value);
    if (field === 2) path = decoder.decode(value);
  }
  return key === "location" ? path : "";
}

/** Yields the length-delimited fields of a message; skips numbers. */
function* fields(bytes: Uint8Array): Generator<{ readonly field: number; readonly value: Uint8Array }> {
  const at = { byte: 0 };
  while (at.byte < bytes.length) {
    const tag = varint(bytes, at);
    // Protobuf parsers drop the bits above 32, and would read another field than this parser.
    if (tag >= 2 ** 32)
      throw new WireError("read an ONNX model: expected a field number of at most 32 bits; got a longer one");
    const type = tag % 8;
    if (type === 0) {
      varint(bytes, at);
    } else {
      const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint(bytes, at) : -1;
      if (length < 0 || at.byte + length > bytes.length)
        throw new WireError(
          `read an ONNX model: expected a field within its ${bytes.length} bytes; got one beyond them`,
        );
      const value = bytes.subarray(at.byte, at.byte + length);
      at.byte += length;
      if (type === 2) yield { field: Math.floor(tag / 8), value };
    }
  }
}

function varint(bytes: Uint8Array, at: { byte: number }): number {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at.byte++];
    if (byte === undefined) break;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value;
  }
  throw new WireError("read an ONNX model: expected a number of at most ten bytes; got one without an end");
}
