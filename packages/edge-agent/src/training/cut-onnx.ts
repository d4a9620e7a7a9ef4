import { WireError } from "@sedna-js/core";

// A model is cut by exchanging its list of outputs: ONNX Runtime leaves out what leads to none of them, and finds out the
// type and shape of one that is only named.
//
//   ModelProto.graph 7 -> GraphProto { node 1 -> NodeProto.output 2, output 12 -> ValueInfoProto.name 1 }
//
// Source: onnx/onnx.proto.

const MODEL_GRAPH = 7;
const GRAPH_NODE = 1;
const GRAPH_OUTPUT = 12;
const NODE_OUTPUT = 2;

/** A field of a message: all its bytes, and of a length-delimited one the content. */
interface Field {
  readonly field: number;
  readonly whole: Uint8Array;
  readonly content: Uint8Array | undefined;
}

/**
 * The model that ends at one of its own inner values, which becomes its only output: the penultimate layer of a
 * classifier is a good feature extractor.
 * @throws {RangeError} when no node gives a value of this name; the message lists those that do.
 * @throws {WireError} on bytes that are no ONNX model.
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
    throw new WireError("cut an ONNX model: expected a number of at most ten bytes; got none that ends");
  };
  while (at < bytes.length) {
    const from = at;
    const tag = varint();
    const type = tag % 8;
    const length = type === 0 ? (varint(), 0) : type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : -1;
    if (length < 0 || at + length > bytes.length)
      throw new WireError(
        `cut an ONNX model: expected a field within its ${bytes.length} bytes; got one that is not`,
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
