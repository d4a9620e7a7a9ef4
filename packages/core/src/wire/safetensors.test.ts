import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { arrayOf, elementCount, type DType, type Tensor, type Tensors } from "../tensor.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const someTensor = fc
  .tuple(fc.constantFrom(...(Object.keys(arrayOf) as DType[])), shape)
  .chain(([dtype, axes]) => {
    const array = arrayOf[dtype];
    const size = elementCount(axes) * array.BYTES_PER_ELEMENT;
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((raw): Tensor => ({ dtype, shape: axes, data: new array(raw.slice().buffer) }));
  });
const name = fc.string().filter((one) => one !== "__proto__" && one !== "__metadata__");
const file = fc.record({
  tensors: fc.dictionary(name, someTensor, { maxKeys: 5 }),
  metadata: fc.dictionary(name, fc.string(), { maxKeys: 3 }),
});
const plain = (tensors: Tensors) =>
  Object.entries(tensors)
    .map(([key, { dtype, shape: axes, data }]) => [
      key,
      dtype,
      axes,
      [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
    ])
    .toSorted(([a], [b]) => (a! < b! ? -1 : 1));

/** Returns a file with the given header and `dataBytes` bytes of elements. */
function fileOf(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const example = (): Uint8Array<ArrayBuffer> =>
  writeSafetensors({
    tensors: {
      bias: { dtype: "float32", shape: [2], data: Float32Array.of(1, -2) },
      step: { dtype: "int64", shape: [], data: BigInt64Array.of(7n) },
    },
    metadata: { format: "pt" },
  });

/** Reads bytes that may not be a file, which must succeed or throw a WireError. */
function readAnything(bytes: Uint8Array): void {
  try {
    readSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as Error).message).toMatch(/expected .+; got /s);
  }
}

describe("safetensors", () => {
  it("preserves any tensors and metadata, bit for bit", () => {
    fc.assert(
      fc.property(file, ({ tensors, metadata }) => {
        const read = readSafetensors(writeSafetensors({ tensors, metadata }));
        expect(plain(read.tensors)).toEqual(plain(tensors));
        expect({ ...read.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  it("matches the specification of the format, byte for byte", () => {
    const header =
      '{"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}';
    const bytes = example();
    const padded = Math.ceil(header.length / 8) * 8;
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded))).toBe(header.padEnd(padded));
    expect([...bytes.subarray(8 + padded)]).toEqual([
      7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0,
    ]);
  });

  it("reads from and writes from the middle of a buffer", () => {
    const whole = Float32Array.of(9, 1, 2, 9);
    const bytes = writeSafetensors({
      tensors: { x: { dtype: "float32", shape: [2], data: whole.subarray(1, 3) } },
    });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(readSafetensors(shifted.subarray(3)).tensors["x"]).toEqual({
      dtype: "float32",
      shape: [2],
      data: Float32Array.of(1, 2),
    });
  });

  it("reads a Buffer, whose slice() does not copy", () => {
    const { tensors } = readSafetensors(Buffer.from(example()));
    expect(tensors["bias"]).toEqual({ dtype: "float32", shape: [2], data: Float32Array.of(1, -2) });
  });

  it("rejects every truncated file with a WireError", () => {
    const whole = example();
    for (let length = 0; length < whole.length; length++)
      expect(() => readSafetensors(whole.slice(0, length))).toThrow(WireError);
    expect(() => readSafetensors(new Uint8Array([...whole, 0]))).toThrow(
      "expected 16 bytes after the header; got 17",
    );
  });

  it("reads flipped bits as another file or throws WireError", () => {
    const whole = example();
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      readAnything(bytes);
    }
  });

  it("reads any bytes, any JSON and any entries as a file or throws WireError", () => {
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(-1, 0.5, 1e300, 2 ** 53, "F32", "F16", [0, 4], [4, 0], [[2]], null),
    );
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom("F32", "U8"), odd),
        shape: fc.oneof(shape, odd),
        data_offsets: fc.oneof(fc.tuple(fc.nat(16), fc.nat(16)), odd),
      },
      { requiredKeys: [] },
    );
    const header = fc.oneof(
      fc.json(),
      fc
        .dictionary(fc.oneof(name, fc.constantFrom("__metadata__", "__proto__")), fc.oneof(entry, odd))
        .map((one) => JSON.stringify(one)),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.tuple(header, fc.nat(16)).map(([text, size]) => fileOf(text, size)),
        ),
        readAnything,
      ),
      { numRuns: 3000 },
    );
  });

  const f32 = (offsets: string, more = "") =>
    `{"a":{"dtype":"F32","shape":[1],"data_offsets":${offsets}}${more}}`;
  it.each<[string, string, number]>([
    [
      'expected each name once; got "a" again',
      f32("[0,4]", ',"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'),
      4,
    ],
    [
      'expected each name once; got "dtype" again',
      '{"a":{"dtype":"F32","dt\\u0079pe":"I32","shape":[1],"data_offsets":[0,4]}}',
      4,
    ],
    [
      "expected elements from byte 4, without gap or overlap; got byte 0",
      f32("[0,4]", ',"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'),
      4,
    ],
    ["expected elements from byte 0, without gap or overlap; got byte 4", f32("[4,8]"), 8],
    ["expected 4 bytes for F32 [1] within the 4 after the header; got bytes 0 to 8", f32("[0,8]"), 4],
    ["expected 4 bytes for F32 [1] within the 4 after the header; got bytes 4 to 8", f32("[4,8]"), 4],
    ["expected data_offsets as two positions; got an array of 2", f32("[-4,0]"), 4],
    ["expected data_offsets as two positions; got null", f32("null"), 4],
    [
      'expected a dtype of F32, F64, I8, I16, I32, I64, U8, U16, BOOL; got "BF16"',
      '{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}',
      2,
    ],
    [
      "expected shape as a list of at most 16 lengths; got an array of 17",
      `{"a":{"dtype":"F32","shape":[${Array(17).fill(1)}],"data_offsets":[0,4]}}`,
      4,
    ],
    ["expected text; got 5", '{"__metadata__":{"a":5}}', 0],
    ["expected it to start with {; got the byte 32", " {}", 0],
    ["expected it to start with {; got an empty one", "", 0],
    ["expected JSON as the header; got 2 bytes that are not", "{]", 0],
  ])("refuses: %s", (message, header, dataBytes) => {
    expect(() => readSafetensors(fileOf(header, dataBytes))).toThrow(WireError);
    expect(() => readSafetensors(fileOf(header, dataBytes))).toThrow(message);
  });

  it("rejects a header length beyond the file or 4 MiB before it reads the header", () => {
    const lying = fileOf("{}", 0);
    new DataView(lying.buffer).setBigUint64(0, 2n ** 64n - 1n, true);
    expect(() => readSafetensors(lying)).toThrow("expected at most 2; got 18446744073709551615");
    expect(() => readSafetensors(fileOf(`{${" ".repeat(2 ** 22)}}`, 0))).toThrow(
      "expected at most 4194304; got 4194306",
    );
  });

  it("rejects a header that nests deeply", () => {
    expect(() =>
      readSafetensors(fileOf(`{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`, 0)),
    ).toThrow(WireError);
    expect(() => readSafetensors(fileOf(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, 0))).toThrow(
      WireError,
    );
  });

  it("treats names such as __proto__ as ordinary names", () => {
    const { tensors, metadata } = readSafetensors(
      fileOf(
        '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"__proto__":"x"}}',
        1,
      ),
    );
    expect([Object.keys(tensors), Object.keys(metadata)]).toEqual([["__proto__"], ["__proto__"]]);
  });

  it("does not write what it could not read back", () => {
    const x: Tensor = { dtype: "float32", shape: [1], data: Float32Array.of(1) };
    expect(() => writeSafetensors({ tensors: { __metadata__: x } })).toThrow(RangeError);
    expect(() => writeSafetensors({ tensors: { x: { ...x, shape: [2] } } })).toThrow(TypeError);
    expect(() => writeSafetensors({ tensors: { x: { ...x, dtype: "int8" } } })).toThrow(
      "expected the elements of x as Int8Array; got a Float32Array of 1",
    );
    expect(() => writeSafetensors({ tensors: { x }, metadata: { a: 5 as never } })).toThrow(
      "expected metadata a as text; got 5",
    );
  });
});
