import { describeValue, WireError } from "../errors.ts";
import { arrayOf, type DType, elementCount, type Tensor, type TensorData } from "../tensor.ts";
import { anyText, type Fields, fieldsOf, readWhole } from "./read-fields.ts";

/** The protocol's names of element types. Elements of type BYTES are length-prefixed byte strings. */
export type OipDatatype =
  | "FP32"
  | "FP64"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "UINT8"
  | "UINT16"
  | "BOOL"
  | "BYTES";

/** The protocol's name of each element type. */
export const datatypeOf: Readonly<Record<DType, OipDatatype>> = {
  float32: "FP32",
  float64: "FP64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  uint16: "UINT16",
  bool: "BOOL",
};

const dtypeOf = Object.fromEntries(
  Object.entries(datatypeOf).map(([dtype, datatype]) => [datatype, dtype]),
) as Readonly<Record<string, DType | undefined>>;

/** A tensor on the wire: numbers, or opaque byte strings, such as an encoded image. */
export type OipTensor =
  | Tensor
  | { readonly dtype: "bytes"; readonly shape: readonly number[]; readonly data: readonly Uint8Array[] };

/** A tensor in the JSON of a request or response. */
export interface WireTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly binaryDataSize: unknown;
  /** `undefined` if the values are in the binary part. */
  readonly data: readonly unknown[] | undefined;
}

/** Parses the JSON of a tensor. @throws {WireError} If the value is not a tensor. */
export function readWireTensor(value: unknown, where: string): WireTensor {
  const fields = fieldsOf(value, where);
  return {
    name: fields.text("name", anyText),
    shape: fields.list("shape", { read: readWhole }),
    datatype: fields.text("datatype", anyText),
    binaryDataSize: readParameter(fields, "binary_data_size"),
    data: fields.has("data") ? fields.list("data", { read: (item) => item }) : undefined,
  };
}

/** Returns the unchecked value of a parameter of a request, an output, or a tensor. */
export function readParameter(fields: Fields, name: string): unknown {
  return fields.has("parameters") ? fields.object("parameters").value(name) : undefined;
}

/**
 * Reads tensors from their JSON and the binary part. @throws {WireError} If a tensor does not match its
 * declared shape or type.
 */
export function readTensors(wire: readonly WireTensor[], binary: Uint8Array): Record<string, OipTensor> {
  const tensors: Record<string, OipTensor> = Object.create(null) as Record<string, OipTensor>;
  let at = 0;
  for (const one of wire) {
    if (Object.hasOwn(tensors, one.name))
      throw new WireError(`read tensors: expected each name once; got ${describeValue(one.name)} again`);
    const size = one.binaryDataSize;
    if (size !== undefined && one.data !== undefined)
      throw new WireError(`read tensor ${one.name}: expected data or binary_data_size; got both`);
    if (size === undefined) {
      tensors[one.name] = readJsonTensor(one);
      continue;
    }
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || at + size > binary.length) {
      throw new WireError(
        `read tensor ${one.name}: expected binary_data_size within the ${binary.length - at} bytes left; got ${describeValue(size)}`,
      );
    }
    tensors[one.name] = readBinaryTensor(one, binary.subarray(at, at + size));
    at += size;
  }
  if (at !== binary.length)
    throw new WireError(`read binary tensors: expected ${at} bytes after the header; got ${binary.length}`);
  return tensors;
}

function readJsonTensor({ name, datatype, shape, data }: WireTensor): OipTensor {
  if (data === undefined)
    throw new WireError(`read tensor ${name}: expected data or binary_data_size; got neither`);
  const flat = flatten(data, shape.length);
  if (!flat)
    throw new WireError(`read tensor ${name}: expected lists at most ${shape.length} deep; got deeper ones`);
  expectCount(name, flat.length, shape);
  if (datatype === "BYTES") {
    if (!flat.every((entry) => typeof entry === "string"))
      throw new WireError(`read tensor ${name}: expected strings for BYTES; got something else`);
    return {
      dtype: "bytes",
      shape,
      data: (flat as string[]).map((entry) => new TextEncoder().encode(entry)),
    };
  }
  const dtype = knownDtype(name, datatype);
  const values = new arrayOf[dtype](flat.length) as { [index: number]: number | bigint };
  for (const [i, entry] of flat.entries()) {
    const isNumber = typeof entry === "number" || (dtype === "bool" && typeof entry === "boolean");
    const fails = (): never => {
      throw new WireError(`read tensor ${name}: expected ${datatype} at ${i}; got ${describeValue(entry)}`);
    };
    if (!isNumber || (dtype === "int64" && !Number.isSafeInteger(entry))) fails();
    const wanted = dtype === "int64" ? BigInt(entry as number) : Number(entry);
    values[i] = wanted;
    if (!dtype.startsWith("float") && values[i] !== wanted) fails();
  }
  return { dtype, shape, data: values as unknown as TensorData };
}

function readBinaryTensor({ name, datatype, shape }: WireTensor, bytes: Uint8Array): OipTensor {
  if (datatype === "BYTES") {
    const data: Uint8Array[] = [];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length;) {
      const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
      if (at + 4 + length > bytes.length)
        throw new WireError(
          `read tensor ${name}: expected elements with 4 bytes of length and that many bytes; got a truncated one at ${at}`,
        );
      data.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    expectCount(name, data.length, shape);
    return { dtype: "bytes", shape, data };
  }
  const dtype = knownDtype(name, datatype);
  const array = arrayOf[dtype];
  const wanted = elementCount(shape) * array.BYTES_PER_ELEMENT;
  if (bytes.length !== wanted)
    throw new WireError(
      `read tensor ${name}: expected ${wanted} bytes for ${datatype} [${shape}]; got ${bytes.length}`,
    );
  // Copy, because a typed array must start at a multiple of its element size. (`slice` of a Buffer would not
  // copy.)
  return { dtype, shape, data: new array(new Uint8Array(bytes).buffer) };
}

function expectCount(name: string, count: number, shape: readonly number[]): void {
  if (count !== elementCount(shape))
    throw new WireError(
      `read tensor ${name}: expected ${elementCount(shape)} elements for shape [${shape}]; got ${count}`,
    );
}

function knownDtype(name: string, datatype: string): DType {
  const dtype = Object.hasOwn(dtypeOf, datatype) ? dtypeOf[datatype] : undefined;
  if (dtype === undefined)
    throw new WireError(
      `read tensor ${name}: expected one of ${Object.keys(dtypeOf).join(", ")}, BYTES; got ${describeValue(datatype)}`,
    );
  return dtype;
}

/** Writes tensors as JSON, or as chunks of the binary part. */
export function writeTensors(
  tensors: Readonly<Record<string, OipTensor>>,
  binary: (name: string) => boolean,
): { wire: unknown[]; chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = [];
  const wire = Object.entries(tensors).map(([name, one]) => {
    const datatype = one.dtype === "bytes" ? "BYTES" : datatypeOf[one.dtype];
    if (!binary(name)) return { name, datatype, shape: one.shape, data: toJsonData(one) };
    const bytes =
      one.dtype === "bytes"
        ? joinElements(one.data)
        : new Uint8Array(one.data.buffer, one.data.byteOffset, one.data.byteLength);
    chunks.push(bytes);
    return { name, datatype, shape: one.shape, parameters: { binary_data_size: bytes.length } };
  });
  return { wire, chunks };
}

function toJsonData(one: OipTensor): unknown[] {
  if (one.dtype === "bytes") return one.data.map((bytes) => new TextDecoder().decode(bytes));
  return Array.from(one.data as ArrayLike<number | bigint>, (value) => {
    const number = Number(value);
    // JSON has no NaN and no infinity, and JSON parsers round large integers.
    if (!Number.isFinite(number) || (one.dtype === "int64" && !Number.isSafeInteger(number))) {
      throw new WireError(
        `write a tensor as JSON: expected numbers that JSON can represent; got ${value}. Ask for binary output`,
      );
    }
    return one.dtype === "bool" ? number !== 0 : number;
  });
}

function joinElements(elements: readonly Uint8Array[]): Uint8Array {
  return concat(elements.flatMap((bytes) => [new Uint8Array(Uint32Array.of(bytes.length).buffer), bytes]));
}

/** Joins byte arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/**
 * Flattens nested lists, at most `levels` deep: JSON from outside may nest deeper than the stack allows.
 *
 * @returns `undefined` if the lists nest deeper.
 */
export function flatten(nested: readonly unknown[], levels: number): unknown[] | undefined {
  let flat: readonly unknown[] = nested;
  for (let level = 1; level < levels && flat.some(Array.isArray); level++) flat = flat.flat(1);
  return flat.some(Array.isArray) ? undefined : [...flat];
}
