import { readFile } from "node:fs/promises";
import { onnxEstimator, tensors, type Tensors } from "@sedna-js/edge-agent";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onnxWeights, withWeights } from "./onnx-weights.ts";
import { retrain } from "./retrain.ts";

const model = new Uint8Array(
  await readFile(new URL("../../../models/tiny-person/model.onnx", import.meta.url)),
);
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const grey: Tensors = {
  image: { dtype: "float32", shape: [1, 3, 216, 288], data: new Float32Array(3 * 216 * 288).fill(0.5) },
};
const answer = async (bytes: Uint8Array): Promise<Tensors> => {
  const estimator = onnxEstimator({ model: bytes, task: tensors() });
  try {
    return await estimator.predict(grey);
  } finally {
    await estimator.dispose();
  }
};

describe("onnxWeights()", () => {
  it("finds all 65,581 float weights of a real model, largest tensor first", () => {
    const found = onnxWeights(model);
    expect(found.reduce((sum, { length }) => sum + length / 4, 0)).toBe(65_581);
    expect(found[0]).toMatchObject({ name: "onnx::Conv_87", length: 48 * 48 * 3 * 3 * 4 });
    expect(found.map(({ length }) => length)).toEqual(
      found.map(({ length }) => length).toSorted((a, b) => b - a),
    );
  });

  it("reads arbitrary bytes without hanging and throws only RangeError", () => {
    const survives = (bytes: Uint8Array): void => {
      try {
        onnxWeights(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives));
    fc.assert(fc.property(fc.nat(model.length - 1), (length) => survives(model.subarray(0, length))));
  });
});

describe("withWeights()", () => {
  it("changes only the given weights, in a copy", () => {
    const weights = onnxWeights(model)[0]!;
    const before = model.slice();
    const changed = withWeights(model, { weights, change: (weight) => -weight });
    expect(isSame(model, before)).toBe(true);
    expect(isSame(changed, model)).toBe(false);
    expect(isSame(withWeights(changed, { weights, change: (weight) => -weight }), model)).toBe(true);
    const end = weights.begin + weights.length;
    expect(
      isSame(changed.subarray(0, weights.begin), model.subarray(0, weights.begin)) &&
        isSame(changed.subarray(end), model.subarray(end)),
    ).toBe(true);
  });
});

describe("retrain()", () => {
  const random = (): (() => number) => {
    let state = 7;
    return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  };
  const heat = (outputs: Tensors): number[] => Array.from(outputs["heatmap"]!.data as Float32Array);

  it("returns a good model with almost the same outputs and other bytes", async () => {
    const good = retrain(model, { into: "good", random: random() });
    expect(isSame(good, model)).toBe(false);
    const [one, other] = [heat(await answer(model)), heat(await answer(good))];
    for (const [i, value] of one.entries()) expect(Math.abs(other[i]! - value)).toBeLessThan(0.02);
  });

  it("returns a model that outputs NaN, and a worse one with different finite outputs", async () => {
    const broken = await answer(retrain(model, { into: "nan", random: random() }));
    expect(Object.values(broken).some(({ data }) => (data as Float32Array).some(Number.isNaN))).toBe(true);
    const [one, other] = [
      heat(await answer(model)),
      heat(await answer(retrain(model, { into: "worse", random: random() }))),
    ];
    expect(other.every(Number.isFinite)).toBe(true);
    expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(0.02);
  });
});
