import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WireError } from "../errors.ts";
import { arrayOf, elementCount, type DType } from "../tensor.ts";
import {
  formatInferRequest,
  formatInferResponse,
  parseInferRequest,
  parseInferResponse,
} from "./open-inference.ts";
import { type OipTensor } from "./open-inference-tensors.ts";

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const numeric = fc
  .tuple(fc.constantFrom(...(Object.keys(arrayOf) as DType[])), shape)
  .chain(([dtype, shape]) => {
    const array = arrayOf[dtype];
    const bytes = elementCount(shape) * array.BYTES_PER_ELEMENT;
    return fc
      .uint8Array({ minLength: bytes, maxLength: bytes })
      .map((raw): OipTensor => ({ dtype, shape, data: new array(raw.slice().buffer) }));
  });
const strings = fc
  .array(fc.uint8Array({ maxLength: 9 }), { maxLength: 3 })
  .map((data): OipTensor => ({ dtype: "bytes", shape: [data.length], data }));
const tensors = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
  fc.oneof(numeric, strings),
  { minKeys: 1, maxKeys: 4 },
);
const bitsOf = (one: OipTensor): unknown =>
  one.dtype === "bytes"
    ? one.data.map((bytes) => [...bytes])
    : [...new Uint8Array(one.data.buffer, one.data.byteOffset, one.data.byteLength)];
const plain = (all: Readonly<Record<string, OipTensor>>): unknown =>
  Object.entries(all).map(([name, one]) => [name, one.dtype, one.shape, bitsOf(one)]);

describe("the Open Inference Protocol", () => {
  it("preserves any tensors in binary, bit for bit", () => {
    fc.assert(
      fc.property(tensors, (inputs) => {
        const { body, headerLength } = formatInferRequest({ inputs });
        expect(plain(parseInferRequest(body, headerLength).inputs)).toEqual(plain(inputs));
      }),
    );
  });

  it("preserves finite float32 numbers in JSON exactly", () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true, maxLength: 8 }), (data) => {
        const { body } = formatInferResponse(
          { modelName: "m", outputs: { y: { dtype: "float32", shape: [data.length], data } } },
          () => false,
        );
        // JSON has no negative zero.
        expect([...(parseInferResponse(body).outputs["y"]!.data as Float32Array)]).toEqual(
          [...data].map((one) => one + 0),
        );
      }),
    );
  });

  const whole = formatInferRequest({
    inputs: {
      x: { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      image: { dtype: "bytes", shape: [1], data: [Uint8Array.of(1, 2, 3)] },
    },
  });

  it("rejects every truncated request with a WireError", () => {
    for (let length = 0; length < whole.body.length; length++) {
      expect(() => parseInferRequest(whole.body.slice(0, length), whole.headerLength)).toThrow(WireError);
    }
  });

  it("reads flipped bits as another request or throws WireError", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 * whole.body.length - 1 }),
        fc.option(fc.integer({ min: -1, max: 300 })),
        (bit, length) => {
          const body = whole.body.slice();
          body[bit >> 3]! ^= 1 << (bit & 7);
          try {
            parseInferRequest(body, length ?? whole.headerLength);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
            expect((error as Error).message).toMatch(/expected .+; got /);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("reads any JSON and any bytes as a request or throws WireError", () => {
    const body = fc.oneof(
      fc.json().map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 64 }),
    );
    const header = fc.oneof(fc.constant(undefined), fc.integer(), fc.constant(Number.NaN));
    fc.assert(
      fc.property(body, header, (bytes, length) => {
        for (const parse of [parseInferRequest, parseInferResponse]) {
          try {
            parse(bytes, length);
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("rejects lists that nest 20,000 deep, and numbers that do not fit the datatype", () => {
    const parse = (data: string, datatype = "FP32"): unknown =>
      parseInferRequest(
        new TextEncoder().encode(
          `{"inputs":[{"name":"x","shape":[3],"datatype":"${datatype}","data":${data}}]}`,
        ),
      );
    expect(() => parse(`${"[".repeat(20_000)}1${"]".repeat(20_000)}`)).toThrow(WireError);
    expect(() => parse("[300,1,2]", "UINT8")).toThrow("expected UINT8 at 0; got 300");
    expect(() => parse("[1,-1,2]", "UINT8")).toThrow("expected UINT8 at 1; got -1");
    expect(() => parse("[1,1.5,2]", "INT32")).toThrow("expected INT32 at 1; got 1.5");
  });

  it("rejects a duplicate name", () => {
    const one = '{"name":"x","shape":[1],"datatype":"FP32","data":[1]}';
    expect(() => parseInferRequest(new TextEncoder().encode(`{"inputs":[${one},${one}]}`))).toThrow(
      'expected each name once; got "x" again',
    );
  });

  it("treats names such as __proto__ as ordinary names", () => {
    const text = '{"inputs":[{"name":"__proto__","shape":[1],"datatype":"FP32","data":[1]}]}';
    const { inputs } = parseInferRequest(new TextEncoder().encode(text));
    expect(Object.keys(inputs)).toEqual(["__proto__"]);
    expect(({} as { data?: unknown }).data).toBeUndefined();
  });
});
