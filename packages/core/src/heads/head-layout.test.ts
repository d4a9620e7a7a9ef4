import type { Head } from "@sedna-js/wasm-kernels";
import { describe, expect, it } from "vitest";
import { flatOf, headLayout, tensorsOf } from "./head-layout.ts";

const softmax: Head = { kind: "softmax", features: 3, classes: 2 };
const mlp: Head = { kind: "mlp", features: 3, hidden: 4, classes: 2 };
const flat = (length: number) => Float32Array.from({ length }, (_, i) => i);

describe("head layout", () => {
  it("lists the tensors in the order of the flat parameters", () => {
    expect(headLayout(softmax)).toEqual([
      { name: "weight", shape: [2, 3], offset: 0, length: 6 },
      { name: "bias", shape: [2], offset: 6, length: 2 },
    ]);
    expect(headLayout(mlp).map(({ name, shape, offset }) => [name, shape, offset])).toEqual([
      ["hidden.weight", [4, 3], 0],
      ["hidden.bias", [4], 12],
      ["output.weight", [2, 4], 16],
      ["output.bias", [2], 24],
    ]);
  });

  it.each([
    ["softmax", softmax, 8],
    ["mlp", mlp, 26],
  ] as const)("splits a %s into tensors and flattens it again", (_, head, length) => {
    const given = flat(length);
    const tensors = tensorsOf(head, given);
    expect(flatOf(head, { ...tensors, other: tensors["bias"] ?? tensors["output.bias"]! })).toEqual(given);
    (Object.values(tensors)[0]!.data as Float32Array).fill(9);
    expect(given).toEqual(flat(length));
  });

  it("names the tensor that does not fit", () => {
    const tensors = tensorsOf(softmax, flat(8));
    expect(() => tensorsOf(softmax, flat(9))).toThrow(
      new TypeError("read a head's parameters: expected 8 of them; got 9"),
    );
    expect(() => flatOf(mlp, tensors)).toThrow(
      new TypeError("flatten a head: expected hidden.weight as float32 [4,3]; got only weight, bias"),
    );
    expect(() => flatOf({ ...softmax, features: 4 }, tensors)).toThrow(
      "expected weight as float32 [2,4]; got float32 [2,3]",
    );
    expect(() =>
      flatOf(softmax, { ...tensors, bias: { dtype: "float64", shape: [2], data: new Float64Array(2) } }),
    ).toThrow("expected bias as float32 [2]; got float64 [2]");
    expect(() =>
      flatOf(softmax, { ...tensors, bias: { dtype: "float32", shape: [2], data: new Float32Array(3) } }),
    ).toThrow("expected 2 elements for shape [2]; got 3");
  });
});
