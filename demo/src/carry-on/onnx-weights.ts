/** Float weights inside an ONNX file. */
export interface Weights {
  readonly name: string;
  /** Offset of the bytes in the file. */
  readonly begin: number;
  /** Length in bytes: four per weight, little-endian. */
  readonly length: number;
}

interface Field {
  readonly number: number;
  /** Value of an integer field; 0 for a field of bytes. */
  readonly value: number;
  readonly begin: number;
  readonly end: number;
}

// Field numbers of onnx.proto.
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { type: 2, name: 8, raw: 9 } as const;
const FLOAT = 1;

/**
 * Returns the float initializers that an ONNX file stores as raw bytes, largest first.
 *
 * Source: onnx/onnx.proto.
 *
 * @throws {RangeError} If the bytes end within a field, or a field has a kind that ONNX does not use.
 */
export function onnxWeights(model: Uint8Array): Weights[] {
  const found: Weights[] = [];
  for (const graph of fields(model, { begin: 0, end: model.length })) {
    if (graph.number !== MODEL_GRAPH) continue;
    for (const initializer of fields(model, graph)) {
      if (initializer.number !== GRAPH_INITIALIZER) continue;
      const tensor = [...fields(model, initializer)];
      const part = (number: number): Field | undefined => tensor.find((field) => field.number === number);
      const [name, raw] = [part(TENSOR.name), part(TENSOR.raw)];
      if (!name || !raw || part(TENSOR.type)?.value !== FLOAT) continue;
      found.push({
        name: new TextDecoder().decode(model.subarray(name.begin, name.end)),
        begin: raw.begin,
        length: raw.end - raw.begin,
      });
    }
  }
  return found.toSorted((a, b) => b.length - a.length);
}

/** Returns a copy of the file with some weights changed. `change` is called for each weight. */
export function withWeights(
  model: Uint8Array,
  { weights, change }: { readonly weights: Weights; readonly change: (weight: number) => number },
): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(model);
  const view = new DataView(copy.buffer, weights.begin, weights.length);
  for (let at = 0; at < weights.length; at += 4) view.setFloat32(at, change(view.getFloat32(at, true)), true);
  return copy;
}

/**
 * Yields the fields of one protobuf message.
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */
function* fields(
  bytes: Uint8Array,
  { begin, end }: { readonly begin: number; readonly end: number },
): Generator<Field> {
  let at = begin;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = at < end ? bytes[at++]! : fail(`a number that ends before byte ${end}`);
      // Multiply instead of shifting, because shifts are limited to 32 bits.
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  const skip = (length: number): { begin: number; end: number } => {
    const from = at;
    at += length;
    if (at > end) fail(`${length} bytes that end before byte ${end}`);
    return { begin: from, end: at };
  };
  while (at < end) {
    const key = varint();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) yield { number, value: varint(), begin: at, end: at };
    else if (kind === 2) yield { number, value: 0, ...skip(varint()) };
    else if (kind === 1 || kind === 5) yield { number, value: 0, ...skip(kind === 1 ? 8 : 4) };
    else fail(`a field of kind 0, 1, 2 or 5 at byte ${at}; got ${kind}`);
  }
}

function fail(expected: string): never {
  throw new RangeError(`read an ONNX file: expected ${expected}`);
}
