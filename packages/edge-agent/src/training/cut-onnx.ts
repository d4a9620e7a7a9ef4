import { WireError } from "@sedna-js/core";

// A model is cut by replacing its list of outputs. ONNX Runtime removes the nodes on which no output depends,
// and it infers the type and shape of an output that has only a name.
//
//   ModelProto.graph 7 -> GraphProto { node 1 -> NodeProto.output 2, output 12 -> ValueInfoProto.name 1 }
//
// Source: onnx/onnx.proto.

const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_OUTPUT = 12;
const NODE_OUTPUT = 2;

/** A field of a message: all its bytes, and the content of a length-delimited field. */
interface Field {
  readonly field: number;
  readonly whole: Uint8Array;
  readonly content: Uint8Array | undefined;
}

/**
 * Returns the model that ends at one of its own inner values, which becomes its only output. The penultimate
 * layer of a classifier is a good feature extractor.
 *
 * @throws {RangeError} If no node has an output of this name. The message lists the existing names.
 * @throws {WireError} If the bytes are not an ONNX model.
 */
export function cutOnnx(model: Uint8Array, output: string): Uint8Array<ArrayBuffer> {
  const fields = [...readFields(model)];
  const graph = fields.find(({ field }) => field === MODEL_GRAPH)?.content;
  if (!graph)
    throw new WireError(`cut an ONNX model: expected a graph; got ${model.length} bytes without one`);
  const inner = [...readFields(graph)];
  const text = new TextDecoder();
  const values = inner
    .filter(({ field }) => field === GRAPH_NODE)
    .flatMap(({ content }) =>
      [...readFields(content ?? new Uint8Array())]
        .filter(({ field }) => field === NODE_OUTPUT)
        .map(({ content: name }) => text.decode(name)),
    );
  if (!values.includes(output))
    throw new RangeError(
      `cut an ONNX model: expected one of its values ${values.slice(0, 50).join(", ")}${values.length > 50 ? ", ..." : ""}; got ${output}`,
    );

  const end = delimited(GRAPH_OUTPUT, delimited(1, new TextEncoder().encode(output)));
  const cut = concat([...inner.filter(({ field }) => field !== GRAPH_OUTPUT).map(({ whole }) => whole), end]);
  return concat(
    fields.map(({ field, whole }) => (field === MODEL_GRAPH ? delimited(MODEL_GRAPH, cut) : whole)),
  );
}

function* readFields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10 && at < bytes.length; i++) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw new WireError("cut an ONNX model: expected a number of at most ten bytes; got one without an end");
  };
  while (at < bytes.length) {
    const from = at;
    const tag = varint();
    const type = tag % 8;
    const length = type === 0 ? (varint(), 0) : type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : -1;
    if (length < 0 || at + length > bytes.length)
      throw new WireError(
        `cut an ONNX model: expected a field within its ${bytes.length} bytes; got one that exceeds them`,
      );
    at += length;
    yield {
      field: Math.floor(tag / 8),
      whole: bytes.subarray(from, at),
      content: type === 2 ? bytes.subarray(at - length, at) : undefined,
    };
  }
}

function delimited(field: number, content: Uint8Array): Uint8Array {
  const head: number[] = [];
  for (const number of [8 * field + 2, content.length]) {
    let rest = number;
    for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
    head.push(rest);
  }
  return concat([Uint8Array.from(head), content]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
