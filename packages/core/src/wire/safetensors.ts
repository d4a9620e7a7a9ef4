import { describeValue, WireError } from "../errors.ts";
import { arrayOf, elementCount, tensor, type DType, type Tensor, type Tensors } from "../tensor.ts";
import { duplicateKey } from "./duplicate-key.ts";

// Tensors as a file. Source: huggingface/safetensors: eight bytes of header length, a JSON header, and the
// elements in little-endian order.

/** Tensors and their metadata. */
export interface Safetensors {
  readonly tensors: Tensors;
  readonly metadata?: Readonly<Record<string, string>>;
}

const codeOf: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  uint16: "U16",
  bool: "BOOL",
};
const dtypeOf = new Map(Object.entries(codeOf).map(([dtype, code]) => [code, dtype as DType]));

const LENGTH_BYTES = 8;
/** Maximum size of a header, in bytes; enough for some ten thousand tensors. */
const MAX_HEADER_BYTES = 2 ** 22;
/** Maximum number of axes, more than any tensor has. A header full of axes would fill the error message. */
const MAX_AXES = 16;
const METADATA = "__metadata__";

/**
 * Writes a safetensors file. Larger elements come first, so that all elements are aligned.
 *
 * @throws {TypeError} If the parts of a tensor do not match, or metadata is not a string.
 * @throws {RangeError} If a tensor is named `__metadata__`, or the header exceeds 4 MiB.
 */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array<ArrayBuffer> {
  if (Object.hasOwn(tensors, METADATA))
    throw new RangeError(`write safetensors: expected names other than ${METADATA}; got that name`);
  for (const [key, value] of Object.entries(metadata ?? {})) {
    if (typeof value !== "string")
      throw new TypeError(`write safetensors: expected metadata ${key} as text; got ${describeValue(value)}`);
  }
  const sorted = Object.entries(tensors).toSorted(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : 1),
  );
  const parts: { readonly begin: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  const entries = sorted.map(([name, one]): [string, unknown] => {
    const { dtype, shape, data } = tensor(one.dtype, one.shape, one.data);
    if (data.constructor.name !== arrayOf[dtype].name)
      throw new TypeError(
        `write safetensors: expected the elements of ${name} as ${arrayOf[dtype].name}; got ${describeValue(data)}`,
      );
    const begin = end;
    end += data.byteLength;
    parts.push({ begin, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return [name, { dtype: codeOf[dtype], shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(
    Object.fromEntries([...(metadata ? [[METADATA, metadata] as const] : []), ...entries]),
  );
  const header = new TextEncoder().encode(json);
  const length = Math.ceil(header.length / 8) * 8;
  if (length > MAX_HEADER_BYTES)
    throw new RangeError(
      `write safetensors: expected a header of at most ${MAX_HEADER_BYTES} bytes; got ${length}`,
    );
  const file = new Uint8Array(LENGTH_BYTES + length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + length).set(header, LENGTH_BYTES);
  for (const { begin, bytes } of parts) file.set(bytes, LENGTH_BYTES + length + begin);
  return file;
}

/**
 * Reads the tensors of a safetensors file. The tensors are copied. Element types that {@link Tensor} does not
 * have (F16, BF16, U32, ...) are rejected.
 *
 * @throws {WireError} If the bytes are not a valid file.
 */
export function readSafetensors(bytes: Uint8Array): {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
} {
  const { header, data } = splitFile(bytes);
  const tensors = Object.create(null) as Record<string, Tensor>;
  const spans: { readonly name: string; readonly begin: number; readonly end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) continue;
    const { dtype, shape, begin, end } = readEntry(name, entry);
    const array = arrayOf[dtype];
    const wanted = elementCount(shape) * array.BYTES_PER_ELEMENT;
    if (end - begin !== wanted || end > data.length) {
      fail(`tensor ${describeValue(name)}`, {
        expected: `${wanted} bytes for ${codeOf[dtype]} [${shape}] within the ${data.length} after the header`,
        got: `bytes ${begin} to ${end}`,
      });
    }
    spans.push({ name, begin, end });
    // Copy, because a typed array must start at a multiple of its element size. Do not use `slice`, which
    // returns a view of a Buffer.
    tensors[name] = { dtype, shape, data: new array(new Uint8Array(data.subarray(begin, end)).buffer) };
  }
  let next = 0;
  for (const { name, begin, end } of spans.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next)
      fail(`tensor ${describeValue(name)}`, {
        expected: `elements from byte ${next}, without gap or overlap`,
        got: `byte ${begin}`,
      });
    next = end;
  }
  if (next !== data.length) fail("tensors", { expected: `${next} bytes after the header`, got: data.length });
  return { tensors, metadata: readMetadata(header[METADATA]) };
}

function splitFile(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < LENGTH_BYTES)
    fail("the header's length", { expected: `${LENGTH_BYTES} bytes`, got: bytes.length });
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, bytes.length - LENGTH_BYTES);
  if (length > most) fail("the header's length", { expected: `at most ${most}`, got: length });
  const end = LENGTH_BYTES + Number(length);
  if (bytes[LENGTH_BYTES] !== 0x7b)
    fail("the header", {
      expected: "it to start with {",
      got: length === 0n ? "an empty one" : `the byte ${bytes[LENGTH_BYTES]}`,
    });
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, end));
    header = JSON.parse(text);
  } catch (cause) {
    throw new WireError(`read safetensors: expected JSON as the header; got ${length} bytes that are not`, {
      cause,
    });
  }
  if (!isRecord(header)) fail("the header", { expected: "a JSON object", got: describeValue(header) });
  const twice = duplicateKey(text);
  if (twice !== undefined)
    fail("the header", { expected: "each name once", got: `${describeValue(twice)} again` });
  return { header, data: bytes.subarray(end) };
}

function readEntry(
  name: string,
  entry: unknown,
): { dtype: DType; shape: number[]; begin: number; end: number } {
  const what = `tensor ${describeValue(name)}`;
  if (!isRecord(entry)) fail(what, { expected: "an object", got: describeValue(entry) });
  const dtype = typeof entry["dtype"] === "string" ? dtypeOf.get(entry["dtype"]) : undefined;
  if (dtype === undefined)
    fail(what, {
      expected: `a dtype of ${[...dtypeOf.keys()].join(", ")}`,
      got: describeValue(entry["dtype"]),
    });
  const { shape, data_offsets: offsets } = entry;
  if (!isLengths(shape) || shape.length > MAX_AXES)
    fail(what, { expected: `shape as a list of at most ${MAX_AXES} lengths`, got: describeValue(shape) });
  if (!isLengths(offsets) || offsets.length !== 2)
    fail(what, { expected: "data_offsets as two positions", got: describeValue(offsets) });
  return { dtype, shape, begin: offsets[0]!, end: offsets[1]! };
}

function readMetadata(given: unknown): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  if (given === undefined) return metadata;
  if (!isRecord(given)) fail(METADATA, { expected: "an object", got: describeValue(given) });
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== "string")
      fail(`${METADATA} ${describeValue(key)}`, { expected: "text", got: describeValue(value) });
    metadata[key] = value;
  }
  return metadata;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isLengths = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

function fail(what: string, { expected, got }: { readonly expected: string; readonly got: unknown }): never {
  throw new WireError(`read safetensors, ${what}: expected ${expected}; got ${got}`);
}
