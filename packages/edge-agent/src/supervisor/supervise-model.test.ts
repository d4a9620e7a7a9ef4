import { Worker, type WorkerOptions } from "node:worker_threads";
import type { Tensors } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { writeSafetensors } from "@sedna-js/core/wire";
import { afterEach, describe, expect, it, vi } from "vitest";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import type { Fault, FaultyOptions, FaultySample } from "../../../../testing/workers/faulty-model-worker.ts";
import { tinyOnnx } from "../../../../testing/fakes/tiny-onnx.ts";
import { verifiedModel } from "../../../../testing/fakes/verified-model.ts";
import type { SupervisorEvent } from "./supervised-model.ts";
import { superviseModel, type SuperviseModelOptions } from "./supervise-model.ts";

// The task "faulty" fails on demand in real Workers with a real ONNX Runtime; see
// testing/workers/faulty-model-worker.ts.

const testing = (file: string): URL => new URL(`../../../../testing/workers/${file}`, import.meta.url);
const startWorker = (limits: WorkerOptions = {}): Worker =>
  new Worker(testing("worker-from-source.mjs"), {
    workerData: testing("faulty-model-worker.ts").href,
    execArgv: ["--conditions=sedna-source"],
    ...limits,
  });

const open: { dispose(): Promise<void> }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const one of open.splice(0)) await one.dispose();
});

const times = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4)).fill(count);
const sample = (value: number, fault?: Fault): FaultySample => ({
  x: { dtype: "float32", shape: [1, 4], data: new Float32Array(4).fill(value) },
  ...(fault && { fault }),
});
const faulty = (options: FaultyOptions = {}) =>
  verifiedModel(undefined, { task: { name: "faulty", options: { ...options } } });
const start = (options: Partial<SuperviseModelOptions> & { readonly limits?: WorkerOptions } = {}) => {
  const events: SupervisorEvent[] = [];
  const workers: Worker[] = [];
  const { limits, ...rest } = options;
  const createWorker = (): Worker => {
    const worker = startWorker(limits);
    workers.push(worker);
    return worker;
  };
  const model = superviseModel<FaultySample, Tensors>({
    model: faulty(),
    createWorker,
    onEvent: (event) => events.push(event),
    ...rest,
  });
  open.push(model);
  const told = (type: SupervisorEvent["type"]) => events.filter((event) => event.type === type);
  return { model, events, workers, told };
};
const doubled = (answer: Tensors): number => answer["y"]!.data[0] as number;

estimatorSuite("a supervised model", {
  make: () => superviseModel<Tensors, Tensors>({ model: verifiedModel() }),
  backend: "cpu",
});

describe("superviseModel()", { timeout: 30_000 }, () => {
  it("returns a result, runs the model without its task, and reports the backend", async () => {
    const { model, events } = start();
    expect(doubled(await model.predict(sample(3)))).toBe(6);
    expect(doubled(await model.run!({ x: sample(4).x }))).toBe(8);
    expect(model.backend).toBe("cpu");
    expect(events).toEqual([
      { type: "model-opened", model: "tiny", version: 1, backend: "cpu", ms: expect.any(Number) },
    ]);
  });

  it.each<[string, Fault, string]>([
    ["throws an uncaught error", "throw", "worker-crashed"],
    ["is aborted by its runtime", "abort", "out-of-memory"],
    ["runs in an endless loop", "loop", "worker-hung"],
    ["never answers", "never", "worker-hung"],
    ["traps", "reject", "run-rejected"],
  ])(
    "C11: replaces a worker that %s, runs the sample in flight again, and then those behind it",
    async (_, fault, reason) => {
      const { model, events, workers } = start({ model: faulty({ left: times(1) }), runTimeoutMs: 1000 });
      const answers = await Promise.all([
        model.predict(sample(1)),
        model.predict(sample(2, fault)),
        model.predict(sample(3)),
        model.predict(sample(4)),
      ]);
      expect(answers.map(doubled)).toEqual([2, 4, 6, 8]);
      expect(events).toMatchObject([
        { type: "model-opened", backend: "cpu" },
        { type: "model-failed", reason, from: "cpu", to: "cpu" },
        { type: "model-opened", backend: "cpu" },
        { type: "model-recovered", backend: "cpu", ms: expect.any(Number) },
      ]);
      expect(workers).toHaveLength(2);
    },
  );

  it("C11: isolates a worker that runs out of memory, and replaces it", async () => {
    const { model, told } = start({
      model: faulty({ left: times(1) }),
      limits: { resourceLimits: { maxOldGenerationSizeMb: 64 } },
    });
    const answers = await Promise.all([model.predict(sample(1, "memory")), model.predict(sample(2))]);
    expect(answers.map(doubled)).toEqual([2, 4]);
    expect(told("model-failed")).toMatchObject([{ reason: "out-of-memory" }]);
  });

  it("C11: replaces a worker that is terminated from outside before the next sample arrives", async () => {
    const { model, told, workers } = start();
    await model.predict(sample(1));
    await workers[0]!.terminate();
    await expect.poll(() => told("model-opened").length, { timeout: 10_000 }).toBe(2);
    expect(told("model-failed")).toMatchObject([{ reason: "worker-crashed" }]);
    expect(doubled(await model.predict(sample(2)))).toBe(4);
    expect(workers).toHaveLength(2);
  });

  it("C11: replaces a worker that is terminated during a run", async () => {
    const { model, workers, told } = start({ model: faulty({ left: times(1) }) });
    await model.load();
    const answer = model.predict(sample(2, "never"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await workers[0]!.terminate();
    expect(doubled(await answer)).toBe(4);
    expect(told("model-failed")).toMatchObject([{ reason: "worker-crashed" }]);
  });

  it("rejects a sample that fails twice with its error, and runs the next one", async () => {
    const { model, workers } = start();
    await expect(model.predict(sample(1, "reject"))).rejects.toThrow("unreachable");
    expect(doubled(await model.predict(sample(2)))).toBe(4);
    expect(workers).toHaveLength(3);
  });

  it("ends a Worker whose model failed, so that its memory is freed", async () => {
    const { model, workers } = start({ model: faulty({ left: times(1) }) });
    await model.load();
    const ended = new Promise((resolve) => workers[0]!.once("exit", resolve));
    await model.predict(sample(1, "abort"));
    await ended;
  });

  it("does not restart a model that receives an invalid request", async () => {
    const { model, events, workers } = start();
    await expect(model.predict(sample(1, "misfit"))).rejects.toThrow(
      new RangeError("expected a sample that fits; got none"),
    );
    await expect(model.run!({})).rejects.toThrow(TypeError);
    await expect(model.predict({ x: (() => {}) as never })).rejects.toMatchObject({ name: "DataCloneError" });
    expect(doubled(await model.predict(sample(2)))).toBe(4);
    expect([workers.length, events.length]).toEqual([1, 1]);
  });

  it("restarts three times a minute, then leaves the work to the cloud, with an immediate and retryable error", async () => {
    const { model, workers, told } = start();
    for (let i = 0; i < 2; i++)
      await expect(model.predict(sample(1, "reject"))).rejects.toThrow("unreachable");
    expect(workers).toHaveLength(4);
    expect(told("model-failed").map((event) => "to" in event && event.to)).toEqual([
      "cpu",
      "cpu",
      "cpu",
      "cloud",
    ]);
    expect(model.backend).toBe("cloud");
    const started = performance.now();
    await expect(model.predict(sample(1))).rejects.toMatchObject({
      code: "edge-unavailable",
      retryable: true,
      cause: expect.objectContaining({ message: "unreachable" }),
    });
    expect(performance.now() - started).toBeLessThan(100);
    expect(workers).toHaveLength(4);
  });

  it("returns from the cloud when the model runs again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { model, told, workers } = start({ model: faulty({ left: times(4), onOpen: "reject" }) });
    await expect(model.load()).rejects.toMatchObject({ code: "edge-unavailable" });
    vi.advanceTimersByTime(299_000);
    expect(workers).toHaveLength(4);
    vi.advanceTimersByTime(1001);
    await expect.poll(() => model.backend, { timeout: 10_000 }).toBe("cpu");
    expect(doubled(await model.predict(sample(2)))).toBe(4);
    expect(told("model-recovered")).toHaveLength(1);
  });

  it("does not retry a permanent failure", async () => {
    const { model, workers, told } = start({
      model: verifiedModel(undefined, { task: { name: "unheard-of" } }),
    });
    await expect(model.load()).rejects.toMatchObject({
      code: "edge-unavailable",
      message: expect.stringContaining("expected one of heatmap, nanodet, classifier, tensors, faulty"),
      cause: expect.objectContaining({ code: "unknown-algorithm" }),
    });
    expect(workers).toHaveLength(1);
    expect(told("model-failed")).toMatchObject([
      { reason: "open-failed", to: "cloud", error: { code: "unknown-algorithm" } },
    ]);
  });

  it("reports a model that has no variant for this device", async () => {
    const { model, workers } = start({
      executionProviders: ["wasm"],
      model: verifiedModel(undefined, {
        variants: [{ file: "model.onnx", executionProviders: ["cpu"], precision: "float32" }],
      }),
    });
    await expect(model.load()).rejects.toMatchObject({
      code: "edge-unavailable",
      message: expect.stringContaining("none of its variants supports this device"),
    });
    expect(workers).toHaveLength(0);
  });

  it("replaces a worker that hangs while it opens the model", async () => {
    const { model, told } = start({ model: faulty({ left: times(1), onOpen: "loop" }), openTimeoutMs: 4000 });
    expect(doubled(await model.predict(sample(2)))).toBe(4);
    expect(told("model-failed")).toMatchObject([{ reason: "worker-hung" }]);
  });

  it("passes weights in a separate file to the Worker", async () => {
    const weights = new Uint8Array(Float32Array.of(10, 20, 30, 40).buffer);
    const files = { "model.onnx": tinyOnnx({ weights: "w.bin" }), "w.bin": weights };
    const { model } = start({
      model: verifiedModel(files, {
        task: { name: "faulty" },
        variants: [
          { file: "model.onnx", externalData: ["w.bin"], executionProviders: ["cpu"], precision: "float32" },
        ],
      }),
    });
    expect((await model.predict(sample(1)))["y"]!.data).toEqual(Float32Array.of(11, 21, 31, 41));
  });

  it("passes a frame to the Worker, again if the first Worker failed, and leaves it open for its caller", async () => {
    const { model, workers } = start({ model: faulty({ left: times(1) }) });
    const data = Uint8Array.of(1, 2, 3, 4);
    const frame = pixelsFrame({ width: 1, height: 1, data }, { timestamp: -1 });
    expect((await model.predict(frame as never))["y"]!.data).toEqual(Float32Array.of(2, 4, 6, 8));
    expect(workers).toHaveLength(2);
    const own = new Uint8ClampedArray(4);
    await frame.copyTo(own);
    expect(own).toEqual(Uint8ClampedArray.from(data));
  });

  it("checks the golden case before it switches back to a failed backend", async () => {
    const rows = (name: string, value: number): Uint8Array<ArrayBuffer> =>
      writeSafetensors({ tensors: { [name]: sample(value).x } });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const golden = [{ inputs: "in", outputs: "out", tolerance: { absolute: 0, relative: 0 } }];
    const wrong = verifiedModel(
      { "model.onnx": tinyOnnx(), in: rows("x", 1), out: rows("y", 3) },
      { golden, task: { name: "faulty", options: { left: times(4), onOpen: "reject" } } },
    );
    const { model, told } = start({ model: wrong });
    await expect(model.load()).rejects.toMatchObject({ code: "edge-unavailable" });
    vi.advanceTimersByTime(300_001);
    await expect
      .poll(() => told("model-failed").at(-1), { timeout: 10_000 })
      .toMatchObject({
        reason: "wrong-output",
        from: "cpu",
        to: "cloud",
        error: { message: expect.stringContaining("expected y[0] within 0 of 3; got 2") },
      });
    expect(model.backend).toBe("cloud");
  });

  it("C11: blames no backend if a new worker fails while a better backend takes over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const host = (file: string): Worker =>
      new Worker(testing("worker-from-source.mjs"), {
        workerData: testing(file).href,
        execArgv: ["--conditions=sedna-source"],
      });
    const workers: Worker[] = [];
    // In order: no runtime for the better backend; the backend below; the better backend, now available; a
    // backend below that opens nothing.
    const kinds = [
      () => startWorker(),
      () => startWorker(),
      () => host("wasm-in-node-worker.ts"),
      () =>
        new Worker(
          `require("node:worker_threads").parentPort.on("message", (data) => data === "die" && process.exit(1));`,
          { eval: true },
        ),
    ];
    const createWorker = (): Worker => (workers.push(kinds[workers.length]!()), workers.at(-1)!);
    const { model, told } = start({
      model: verifiedModel(),
      createWorker,
      executionProviders: ["wasm", "cpu"],
    });
    await model.load();
    expect(model.backend).toBe("cpu");
    vi.advanceTimersByTime(300_001);
    await expect.poll(() => workers.length).toBe(3);
    await workers[1]!.terminate();
    await expect.poll(() => workers.length).toBe(4);
    const ended = new Promise((resolve) => workers[3]!.once("exit", resolve));
    await expect.poll(() => model.backend, { timeout: 10_000 }).toBe("wasm");
    workers[3]!.postMessage("die");
    await ended;
    await model.load();
    expect(doubled(await model.predict({ x: sample(2).x }))).toBe(4);
    expect(told("model-failed").map((event) => "from" in event && [event.from, event.to])).toEqual([
      ["wasm", "cpu"],
      ["cpu", "cpu"],
    ]);
    expect([model.backend, workers.length]).toEqual(["wasm", 4]);
  });

  it("lets a caller abort at once, and continues for the others", async () => {
    const { model } = start({ model: faulty({ left: times(1) }), runTimeoutMs: 500 });
    await model.load();
    const controller = new AbortController();
    const left = model.predict(sample(1, "never"), { signal: controller.signal });
    const next = model.predict(sample(2));
    controller.abort(new Error("enough"));
    await expect(left).rejects.toThrow("enough");
    expect(doubled(await next)).toBe(4);
  });

  it.each<[string, Fault]>([
    ["a run", "never"],
    ["an endless loop", "loop"],
  ])("can be disposed during %s, and ends its Worker", async (_, fault) => {
    const { model, workers } = start();
    await model.load();
    const ended = new Promise((resolve) => workers[0]!.once("exit", resolve));
    const results = Promise.allSettled([model.predict(sample(1, fault)), model.predict(sample(2))]);
    await Promise.all([model.dispose(), model.dispose()]);
    await ended;
    for (const result of await results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "disposed" } });
    await expect(model.predict(sample(1))).rejects.toMatchObject({ code: "disposed" });
  });

  it("can be disposed while a Worker opens the model, even if the Worker hangs", async () => {
    const { model, workers } = start({ model: faulty({ onOpen: "loop" }) });
    const loading = model.load().catch((error: unknown) => error);
    await expect.poll(() => workers.length).toBe(1);
    const ended = new Promise((resolve) => workers[0]!.once("exit", resolve));
    await model.dispose();
    await ended;
    expect(await loading).toMatchObject({ code: "disposed" });
    expect(workers).toHaveLength(1);
  });

  it("opens one model for all concurrent callers", async () => {
    const { model, workers } = start();
    await Promise.all([model.load(), model.load(), model.predict(sample(1)), model.predict(sample(2))]);
    expect(workers).toHaveLength(1);
  });
});
