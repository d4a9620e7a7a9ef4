import { WireError } from "../errors.ts";

// An ONNX file may say that its weights lie in other files, by paths that it chooses. Whoever opens it with a file system
// at hand would read them, so they are read here first, without a runtime.
//
//   ModelProto.graph 7 -> GraphProto { node 1, initializer 5, sparse_initializer 15 }
//   ModelProto.functions 25 -> FunctionProto.node 7;  NodeProto.attribute 5 -> AttributeProto { t 5, g 6, tensors 10, graphs 11, sparse 22, 23 }
//   TensorProto { external_data 13 -> { key 1, value 2 }, data_location 14 }
//
// Source: onnx/onnx.proto.

/** Graphs within graphs, and attributes within nodes: deeper models do not exist. */
const MAX_DEPTH = 64;

type Kind = "model" | "graph" | "node" | "function" | "attribute" | "tensor" | "sparse" | "training";

/** Fields that lead to tensors, by the message that they are in. */
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
 * The files that an ONNX model refers to for its weights, each once, as it writes them.
 * @throws {WireError} on bytes that are no protobuf of this shape.
 */
export function onnxReferences(model: Uint8Array): string[] {
  const found = new Set<string>();
  walk(model, { kind: "model", depth: 0, found });
  // An offset or a checksum alone refers to nothing.
  found.delete("");
  return [...found];
}

function walk(
  bytes: Uint8Array,
  { kind, depth, found }: { readonly kind: Kind; readonly depth: number; readonly found: Set<string> },
): void {
  if (depth > MAX_DEPTH)
    throw new WireError(`read an ONNX model: expected at most ${MAX_DEPTH} levels; got more`);
  for (const { field, value } of fields(bytes)) {
    if (kind === "tensor" && field === 13) found.add(location(value));
    const next = ways[kind][field];
    if (next) walk(value, { kind: next, depth: depth + 1, found });
  }
}

/** The path of an entry of `external_data`; other entries, such as an offset, say nothing of files and give the path "". */
function location(entry: Uint8Array): string {
  let key = "";
  let path = "";
  // As it stands: a name that begins with a byte order mark is another name.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const { field, value } of fields(entry)) {
    if (field === 1) key = decoder.decode(value);
    if (field === 2) path = decoder.decode(value);
  }
  return key === "location" ? path : "";
}

/** The length-delimited fields of a message; numbers are stepped over. */
function* fields(bytes: Uint8Array): Generator<{ readonly field: number; readonly value: Uint8Array }> {
  const at = { byte: 0 };
  while (at.byte < bytes.length) {
    const tag = varint(bytes, at);
    // Parsers drop the bits above 32, and would find another field than is seen here.
    if (tag >= 2 ** 32)
      throw new WireError("read an ONNX model: expected a field's number in 32 bits; got more");
    const type = tag % 8;
    if (type === 0) {
      varint(bytes, at);
    } else {
      const length = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint(bytes, at) : -1;
      if (length < 0 || at.byte + length > bytes.length)
        throw new WireError(
          `read an ONNX model: expected a field within its ${bytes.length} bytes; got one that is not`,
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
  throw new WireError("read an ONNX model: expected a number of at most ten bytes; got none that ends");
}
