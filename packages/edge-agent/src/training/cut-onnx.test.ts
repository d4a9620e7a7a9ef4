import { readFile } from "node:fs/promises";
import { tensors, WireError } from "@sedna-js/core";
import { onnxReferences } from "@sedna-js/core/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { onnxEstimator } from "../onnx/onnx-estimator.ts";
import { cutOnnx } from "./cut-onnx.ts";

const digits = await readFile(new URL("../../../../models/digits-big/model.onnx", import.meta.url));

describe("cutOnnx()", { timeout: 30_000 }, () => {
  it("cuts a model at one of its inner values, which becomes its only output", async () => {
    const values = /one of its values (.*); got \?/
      .exec(
        String(
          await Promise.resolve()
            .then(() => cutOnnx(digits, "?"))
            .catch((error: unknown) => error),
        ),
      )![1]!
      .split(", ");
    const relu = values.find((name) => name.includes("Relu"))!;
    await using cut = onnxEstimator({ model: cutOnnx(digits, relu), task: tensors() });
    const { outputs } = await cut.load();
    expect(outputs.map(({ name, dtype }) => [name, dtype])).toEqual([[relu, "float32"]]);
    const answer = await cut.predict({
      image: { dtype: "float32", shape: [1, 1, 28, 28], data: new Float32Array(784) },
    });
    expect(answer[relu]!.shape).toEqual([1, 16, 28, 28]);
  });

  it("keeps the results of a model that already ends there", async () => {
    await using cut = onnxEstimator({ model: cutOnnx(tinyOnnx(), "y"), task: tensors() });
    expect(
      (await cut.predict({ x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } }))["y"]!
        .data,
    ).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  it("throws only WireError or RangeError on any bytes, and otherwise returns readable ONNX", () => {
    const model = tinyOnnx();
    const calm = (bytes: Uint8Array): void => {
      try {
        onnxReferences(cutOnnx(bytes, "y"));
      } catch (error) {
        if (!(error instanceof WireError || error instanceof RangeError)) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), calm));
    fc.assert(
      fc.property(fc.nat(model.length - 1), fc.nat(255), (at, value) =>
        calm(model.map((byte, i) => (i === at ? value : byte))),
      ),
    );
    fc.assert(fc.property(fc.nat(model.length), (length) => calm(model.subarray(0, length))));
  });
});
