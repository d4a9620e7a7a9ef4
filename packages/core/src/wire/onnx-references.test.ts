import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { WireError } from "../errors.ts";
import { bytes, integer, join, text, type Chunks } from "../heads/protobuf.ts";
import { onnxReferences } from "./onnx-references.ts";

const external = (...entries: readonly (readonly [string, string])[]): Chunks =>
  entries.flatMap(([key, value]) => bytes(13, [...text(1, key), ...text(2, value)]));
const tensorAt = (path: string): Chunks => [
  ...integer(2, 1),
  ...external(["location", path], ["offset", "0"], ["length", "4"]),
  ...integer(14, 1),
];
const graph = (chunks: Chunks): Uint8Array => join(bytes(7, chunks));
const attribute = (chunks: Chunks): Chunks => bytes(1, bytes(5, chunks));

describe("onnxReferences()", () => {
  it("finds no file for a self-contained model, and the external file of another", () => {
    expect(onnxReferences(tinyOnnx())).toEqual([]);
    expect(onnxReferences(tinyOnnx({ weights: "weights.bin" }))).toEqual(["weights.bin"]);
  });

  it.each([
    ["an initializer", graph(bytes(5, tensorAt("w")))],
    ["the values of a sparse initializer", graph(bytes(15, bytes(1, tensorAt("w"))))],
    ["the indices of a sparse initializer", graph(bytes(15, bytes(2, tensorAt("w"))))],
    ["an attribute", graph(attribute(bytes(5, tensorAt("w"))))],
    ["a list in an attribute", graph(attribute(bytes(10, tensorAt("w"))))],
    ["a sparse attribute", graph(attribute(bytes(22, bytes(1, tensorAt("w")))))],
    ["a list of sparse attributes", graph(attribute(bytes(23, bytes(2, tensorAt("w")))))],
    ["a graph within a node", graph(attribute(bytes(6, bytes(5, tensorAt("w")))))],
    ["graphs within a node", graph(attribute(bytes(11, bytes(5, tensorAt("w")))))],
    ["a function", join(bytes(25, bytes(7, bytes(5, bytes(5, tensorAt("w"))))))],
    ["a function's default", join(bytes(25, bytes(11, bytes(5, tensorAt("w")))))],
    ["training", join(bytes(20, bytes(2, bytes(5, tensorAt("w")))))],
  ])("finds a reference in %s", (_, model) => {
    expect(onnxReferences(model)).toEqual(["w"]);
  });

  it("rejects a field number that ONNX Runtime would read as another", () => {
    // The tag of the graph, with a bit above 32 that protobuf's own parser drops.
    const [tag, ...rest] = graph(bytes(5, tensorAt("w")));
    expect(tag).toBe(0x3a);
    expect(() => onnxReferences(Uint8Array.of(0xba, 0x80, 0x80, 0x80, 0x10, ...rest))).toThrow(WireError);
  });

  it.each(["../../etc/passwd", "/etc/passwd", "C:\\x", "a/b", "..", "\uFEFFw"])(
    "returns %s unchanged, which no manifest lists",
    (path) => {
      expect(onnxReferences(graph(bytes(5, tensorAt(path))))).toEqual([path]);
    },
  );

  it("rejects nesting that is deeper than in any model", () => {
    let nested: Chunks = bytes(5, tensorAt("w"));
    for (let i = 0; i < 100; i++) nested = attribute(bytes(6, nested));
    expect(() => onnxReferences(graph(nested))).toThrow(WireError);
  });

  it("throws nothing but WireError for prefixes, flipped bits and any bytes", () => {
    const model = tinyOnnx({ weights: "weights.bin" });
    const read = (given: Uint8Array): void => {
      try {
        expect(Array.isArray(onnxReferences(given))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    };
    for (let length = 0; length < model.length; length++) read(model.subarray(0, length));
    for (let bit = 0; bit < 8 * model.length; bit++)
      read(model.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit % 8)) : byte)));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), read), { numRuns: 500 });
  });
});
