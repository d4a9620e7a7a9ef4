import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { tinyOnnx, type TinyOnnxOptions } from "../../../../testing/fakes/tiny-onnx.ts";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import { classifier, tensors } from "../vision/tensor-tasks.ts";
import { heatmapDetector } from "../vision/heatmap-detector.ts";
import { nanodet } from "../vision/nanodet.ts";
import { createOnnxEstimator } from "./onnx-estimator.ts";
import { onnxRuntime, type OrtModule } from "../adapters/onnx-runtime.ts";
import { type OnnxRuntime } from "./onnx-session.ts";
import type { Tensors } from "../tensor.ts";

const runtime = onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] });
const open = (model: Uint8Array) => async () => ({ runtime, model });
const doubling = (options?: TinyOnnxOptions) =>
  createOnnxEstimator({ open: open(tinyOnnx(options)), task: tensors() });
const x = (...values: number[]): Tensors => ({
  x: { dtype: "float32", shape: [values.length / 4, 4], data: Float32Array.from(values) },
});

estimatorSuite("onnxruntime-node", { make: doubling, backend: "cpu" });

describe("createOnnxEstimator()", () => {
  it("runs a batch at once if the model supports it, otherwise sample by sample", async () => {
    const free = doubling();
    const batch = await free.predictBatch!([x(1, 0, 0, 0), x(2, 0, 0, 0, 3, 0, 0, 0)]);
    expect(batch.map((one) => [...one["y"]!.shape, one["y"]!.data[0]])).toEqual([
      [1, 4, 2],
      [2, 4, 4],
    ]);
    const fixed = doubling({ shape: [1, 4] });
    expect(
      (await fixed.predictBatch!([x(1, 0, 0, 0), x(2, 0, 0, 0)])).map((one) => one["y"]!.data[0]),
    ).toEqual([2, 4]);
  });

  it("never joins samples of a model whose first axes have different names", async () => {
    // x [n,m] to y [m,n]: rows of one sample would end up in the result of another.
    const transpose = createOnnxEstimator({
      open: open(tinyOnnx({ op: "Transpose", inputs: 1, shape: ["n", "m"], outputShape: ["m", "n"] })),
      task: tensors(),
    });
    expect(await transpose.load()).toMatchObject({ batches: false });
    const one = (...values: number[]): Tensors => ({
      x: { dtype: "float32", shape: [1, values.length], data: Float32Array.from(values) },
    });
    const [a, b] = await transpose.predictBatch!([one(1, 2, 3), one(70, 80, 90)]);
    expect([a!["y"], b!["y"]]).toEqual([
      { dtype: "float32", shape: [3, 1], data: Float32Array.of(1, 2, 3) },
      { dtype: "float32", shape: [3, 1], data: Float32Array.of(70, 80, 90) },
    ]);
  });

  it("runs the model without its task, in the order of the calls", async () => {
    const estimator = createOnnxEstimator({ open: open(tinyOnnx({ shape: [1, 4] })), task: classifier() });
    const sample = { dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) } as const;
    const [probabilities, { y }] = await Promise.all([
      estimator.predict(sample),
      estimator.run!(x(5, 6, 7, 8)),
    ]);
    expect([probabilities, y!.data]).toEqual([Float32Array.of(2, 4, 6, 8), Float32Array.of(10, 12, 14, 16)]);
    await expect(estimator.run!({})).rejects.toThrow(
      new TypeError("run the model: expected the inputs x; got none"),
    );
    await expect(
      estimator.run!(x(1, 2, 3, 4), { signal: AbortSignal.abort(new Error("left")) }),
    ).rejects.toThrow("left");
    await estimator.dispose();
    await expect(estimator.run!(x(1, 2, 3, 4))).rejects.toMatchObject({ code: "disposed" });
  });

  it("reads weights that are stored beside the model, and only those that are passed", async () => {
    const model = tinyOnnx({ weights: "w.bin" });
    const data = new Uint8Array(Float32Array.of(10, 20, 30, 40).buffer);
    const beside = createOnnxEstimator({
      open: async () => ({ runtime, model, externalData: [{ path: "w.bin", data }] }),
      task: tensors(),
    });
    expect((await beside.predict(x(1, 2, 3, 4)))["y"]!.data).toEqual(Float32Array.of(11, 22, 33, 44));
    await expect(createOnnxEstimator({ open: open(model), task: tensors() }).load()).rejects.toMatchObject({
      code: "model-unreadable",
    });
  });

  it("carries int64", async () => {
    const estimator = doubling({ type: 7, shape: [2] });
    const { y } = await estimator.predict({
      x: { dtype: "int64", shape: [2], data: BigInt64Array.of(1n, -5n) },
    });
    expect(y).toEqual({ dtype: "int64", shape: [2], data: BigInt64Array.of(2n, -10n) });
  });

  it.each<[string, Uint8Array]>([
    ["an empty file", new Uint8Array(0)],
    ["a truncated model", tinyOnnx().slice(0, 40)],
    ["an HTML page", new TextEncoder().encode("<!doctype html><html>not found</html>")],
    ["random bytes", Uint8Array.from({ length: 200 }, (_, i) => (i * 73) & 255)],
    ["a model with an operator that does not exist", tinyOnnx({ op: "Abracadabra" })],
  ])("rejects %s as model-unreadable on every call", async (_, model) => {
    const estimator = createOnnxEstimator({ open: open(model), task: tensors() });
    for (let i = 0; i < 2; i++)
      await expect(estimator.predict(x(1, 2, 3, 4))).rejects.toMatchObject({
        code: "model-unreadable",
        message: expect.stringMatching(/expected an ONNX file; got \d+ bytes/),
      });
  });

  it.each([
    [
      "nanodet",
      nanodet(),
      /expected a model with one float32 input \[1,3,height,width\] of fixed size; got x: float32 \[-1,4\]/,
    ],
    ["heatmapDetector", heatmapDetector(), /expected a model with one float32 input/],
  ])("rejects a model that does not fit %s", async (_, task, message) => {
    const estimator = createOnnxEstimator<never, unknown>({ open: open(tinyOnnx()), task: task as never });
    await expect(estimator.load()).rejects.toMatchObject({
      code: "model-mismatch",
      message: expect.stringMatching(message),
    });
  });

  it("loads again after a failure to read the model", async () => {
    let tries = 0;
    const estimator = createOnnxEstimator({
      open: async () => {
        if (tries++ === 0) throw new Error("no network");
        return { runtime, model: tinyOnnx() };
      },
      task: tensors(),
    });
    for (let i = 0; i < 3; i++) await expect(estimator.load()).rejects.toThrow("no network");
    expect(tries).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 550));
    expect(await estimator.load()).toMatchObject({ backend: "cpu" });
  });

  it("opens a new session after a failed run, and releases the old one", async () => {
    const log: string[] = [];
    let broken = true;
    const flaky: OnnxRuntime = {
      async createSession(model) {
        const session = await runtime.createSession(model);
        log.push("open");
        const lost = broken;
        return {
          ...session,
          run: (feeds) => (lost ? Promise.reject(new Error("device lost")) : session.run(feeds)),
          release: () => (log.push("release"), session.release()),
        };
      },
    };
    const estimator = createOnnxEstimator({
      open: async ({ failures }) => (log.push(`failures ${failures}`), { runtime: flaky, model: tinyOnnx() }),
      task: tensors(),
    });
    await expect(estimator.predict(x(1, 2, 3, 4))).rejects.toMatchObject({
      code: "run-failed",
      retryable: true,
      message: expect.stringContaining("device lost"),
    });
    broken = false;
    expect((await estimator.predict(x(1, 2, 3, 4)))["y"]!.data[3]).toBe(8);
    await estimator.dispose();
    expect(log).toEqual(["failures 0", "open", "release", "failures 1", "open", "release"]);
  });

  it("does not read the model again after every failed run", async () => {
    let opened = 0;
    const lost: OnnxRuntime = {
      createSession: async (model) => ({
        ...(await runtime.createSession(model)),
        run: () => Promise.reject(new Error("device lost")),
      }),
    };
    const estimator = createOnnxEstimator({
      open: async () => (opened++, { runtime: lost, model: tinyOnnx() }),
      task: tensors(),
    });
    for (let i = 0; i < 20; i++)
      await expect(estimator.predict(x(1, 2, 3, 4))).rejects.toMatchObject({ code: "run-failed" });
    expect(opened).toBe(2);
    await estimator.dispose();
  });

  it("opens a model once for all callers, and keeps loading if one caller aborts", async () => {
    let opened = 0;
    const estimator = createOnnxEstimator({
      open: async () => (opened++, { runtime, model: tinyOnnx() }),
      task: tensors(),
    });
    const left = new AbortController();
    const first = estimator.load({ signal: left.signal });
    const second = estimator.load();
    left.abort(new Error("left"));
    await expect(first).rejects.toThrow("left");
    expect(await second).toMatchObject({ backend: "cpu" });
    expect(opened).toBe(1);
  });

  it("does not read a model again if it can never be loaded", async () => {
    let opened = 0;
    const estimator = createOnnxEstimator({
      open: async () => (opened++, { runtime, model: tinyOnnx().slice(0, 40) }),
      task: tensors(),
    });
    for (let i = 0; i < 5; i++)
      await expect(estimator.predict(x(1, 2, 3, 4))).rejects.toMatchObject({ code: "model-unreadable" });
    expect(opened).toBe(1);
  });

  it("names an unknown element type", async () => {
    await expect(doubling({ type: 10 }).load()).rejects.toMatchObject({
      code: "model-mismatch",
      message: expect.stringMatching(/got x of float16/),
    });
  });

  it("falls back to the next execution provider and reports it", async () => {
    const told: unknown[] = [];
    const picky = onnxRuntime(ort as unknown as OrtModule, {
      executionProviders: ["nonsense", "cpu"],
      onFallback: (event) => told.push([event.from, event.to]),
    });
    const session = await picky.createSession(tinyOnnx());
    expect([session.backend, told]).toEqual(["cpu", [["nonsense", "cpu"]]]);
    await session.release();
  });

  it("classifies samples without their batch axis", async () => {
    const estimator = createOnnxEstimator({
      open: open(tinyOnnx({ op: "Softmax", inputs: 1 })),
      task: classifier(),
    });
    const answer = await estimator.predict({
      dtype: "float32",
      shape: [4],
      data: Float32Array.of(0, 0, 0, 0),
    });
    expect([...answer]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});
