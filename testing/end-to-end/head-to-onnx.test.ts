import { onnxRuntime, type OrtModule } from "@sedna-js/core/adapters/onnx-runtime";
import { headToOnnx } from "@sedna-js/core/heads";
import { loadTrainingKernels, type Head } from "@sedna-js/wasm-kernels";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";

const runtime = onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] });
const wave = (length: number, scale: number) =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(1 + 7.3 * i));

describe("headToOnnx()", () => {
  it.each<[string, Head]>([
    ["a softmax", { kind: "softmax", features: 5, classes: 3 }],
    ["an MLP", { kind: "mlp", features: 5, hidden: 7, classes: 3 }],
    ["a softmax over many features", { kind: "softmax", features: 1280, classes: 5 }],
    ["an MLP of 600,000 weights", { kind: "mlp", features: 1280, hidden: 512, classes: 5 }],
  ])("writes %s whose output matches the trainer's", async (_, head) => {
    using kernels = await loadTrainingKernels();
    const labels = Uint32Array.from({ length: 30 }, (_, i) => i % head.classes);
    const samples = wave(30 * head.features, 1);
    using trainer = kernels.headTrainer({ head, samples, labels, batchSize: 8 });
    trainer.epoch();
    const expected = trainer.predict(samples);
    expect(new Set(expected).size).toBeGreaterThan(10);

    const session = await runtime.createSession(headToOnnx({ head, weights: trainer.weights() }));
    expect(session.inputs).toEqual([{ name: "features", dtype: "float32", shape: [-1, head.features] }]);
    expect(session.outputs).toEqual([{ name: "probabilities", dtype: "float32", shape: [-1, head.classes] }]);
    expect(session.batches).toBe(true);
    const { probabilities } = await session.run({
      features: { dtype: "float32", shape: [30, head.features], data: samples },
    });
    expect(probabilities!.shape).toEqual([30, head.classes]);
    for (const [i, value] of expected.entries()) expect(probabilities!.data[i]).toBeCloseTo(value, 5);
    await session.release();
  });

  const head: Head = { kind: "softmax", features: 2, classes: 2 };
  const weights = new Float32Array(6);

  it("uses the given names of input, output and classes", async () => {
    const model = headToOnnx({
      head,
      weights,
      inputName: "x",
      outputName: "y",
      labels: ["Katze", 'Hund "Rex" ü'],
    });
    const session = await runtime.createSession(model);
    expect([session.inputs[0]!.name, session.outputs[0]!.name]).toEqual(["x", "y"]);
    await session.release();
    expect(Buffer.from(model).includes('names\u0012\u001b["Katze","Hund \\"Rex\\" ü"]')).toBe(true);
  });

  it("rejects weights, labels and names that do not fit", () => {
    expect(() => headToOnnx({ head, weights: new Float32Array(5) })).toThrow(TypeError);
    expect(() => headToOnnx({ head, weights, labels: ["one"] })).toThrow(
      new RangeError("write a head as ONNX: expected 2 labels; got 1"),
    );
    for (const names of [
      { inputName: "x", outputName: "x" },
      { inputName: "" },
      { outputName: "logits" },
      { inputName: "bias" },
    ]) {
      expect(() => headToOnnx({ head, weights, ...names })).toThrow(
        /^write a head as ONNX: expected unique input and output names; got "/,
      );
    }
  });
});
