import type { Tensors } from "@sedna-js/core";
import { writeSafetensors } from "@sedna-js/core/wire";
import { describe, expect, it } from "vitest";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { verifiedModel } from "../../../../testing/fakes/verified-model.ts";
import { onnxEstimator, tensors } from "../index.ts";
import { checkGolden } from "./check-golden.ts";

const row = (name: string, ...values: number[]): Tensors => ({
  [name]: { dtype: "float32", shape: [values.length / 4, 4], data: Float32Array.from(values) },
});
const model = (outputs: Tensors, inputs = row("x", 1, 2, 3, 400)) =>
  verifiedModel(
    {
      "model.onnx": tinyOnnx(),
      "in.safetensors": writeSafetensors({ tensors: inputs }),
      "out.safetensors": writeSafetensors({ tensors: outputs }),
    },
    {
      golden: [
        {
          inputs: "in.safetensors",
          outputs: "out.safetensors",
          tolerance: { absolute: 0.01, relative: 0.001 },
        },
      ],
    },
  );
const doubling = () => onnxEstimator({ model: tinyOnnx(), task: tensors() });

describe("checkGolden()", () => {
  it("passes outputs within the tolerance, and a model without cases", async () => {
    expect(await checkGolden(doubling(), model(row("y", 2.009, 4, 6, 800.8)))).toEqual({ passed: 1 });
    expect(await checkGolden(doubling(), verifiedModel())).toEqual({ passed: 0 });
    expect(await checkGolden(doubling(), model(row("y", 9, 9, 9, 9)), { maxCases: 0 })).toEqual({
      passed: 0,
    });
    expect(
      await checkGolden(doubling(), model(row("y", Infinity, 4, 6, 8), row("x", Infinity, 2, 3, 4))),
    ).toEqual({ passed: 1 });
  });

  it.each([
    [
      "a value outside the tolerance",
      row("y", 2.02, 4, 6, 800),
      /in\.safetensors: expected y\[0\] within 0\.01\d* of 2\.0\d*; got 2$/,
    ],
    [
      "a large value outside the tolerance",
      row("y", 2, 4, 6, 801),
      /expected y\[3\] within 0\.811 of 801; got 800/,
    ],
    ["NaN expected", row("y", NaN, 4, 6, 800), /y\[0\] within NaN of NaN; got 2/],
    [
      "another shape",
      row("y", 2, 4, 6, 800, 0, 0, 0, 0),
      /expected y as float32 \[2,4\]; got float32 \[1,4\]/,
    ],
    ["another name", row("z", 2, 4, 6, 800), /expected z as float32 \[1,4\]; got undefined/],
  ])("does not pass %s", async (_, outputs, message) => {
    expect(await checkGolden(doubling(), model(outputs))).toMatchObject({
      passed: 0,
      mismatch: { code: "model-mismatch", message: expect.stringMatching(message) },
    });
  });

  it("does not pass NaN", async () => {
    expect(await checkGolden(doubling(), model(row("y", 2, 4, 6, 8), row("x", NaN, 2, 3, 4)))).toMatchObject({
      mismatch: { message: expect.stringContaining("got NaN") },
    });
  });

  it("throws the errors of running the model", async () => {
    await expect(checkGolden(doubling(), model(row("y", 2, 4, 6, 8), row("z", 1, 2, 3, 4)))).rejects.toThrow(
      TypeError,
    );
    await expect(checkGolden({}, model(row("y", 2, 4, 6, 8)))).rejects.toThrow("got one without run()");
    const gone = verifiedModel(
      { "model.onnx": tinyOnnx() },
      { golden: [{ inputs: "in", outputs: "out", tolerance: { absolute: 0, relative: 0 } }] },
    );
    await expect(checkGolden(doubling(), gone)).rejects.toMatchObject({ code: "model-unreadable" });
    await expect(
      checkGolden(doubling(), model(row("y", 2, 4, 6, 8)), { signal: AbortSignal.abort(new Error("left")) }),
    ).rejects.toThrow("left");
  });
});
