import { Worker } from "node:worker_threads";
import type { Tensors } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { afterEach, describe, expect, it } from "vitest";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import { workerEstimator } from "./worker-estimator.ts";

const testing = (file: string): URL => new URL(`../../../../testing/workers/${file}`, import.meta.url);
const tinyWorker = (): Worker =>
  new Worker(testing("worker-from-source.mjs"), {
    workerData: testing("tiny-worker.ts").href,
    execArgv: ["--conditions=sedna-source"],
  });
const estimators: { dispose(): Promise<void> }[] = [];
const start = () => {
  const estimator = workerEstimator<unknown, never>(tinyWorker());
  estimators.push(estimator);
  return estimator;
};
afterEach(async () => {
  for (const estimator of estimators.splice(0)) await estimator.dispose();
});
const x: Tensors = { x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } };

estimatorSuite("a Node Worker", {
  make: () => workerEstimator<Tensors, Tensors>(tinyWorker()),
  backend: "cpu",
});

describe("workerEstimator()", { timeout: 20_000 }, () => {
  it("transfers frames", async () => {
    const frame = pixelsFrame(
      { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) },
      { timestamp: 40, sharp: () => Promise.reject(new Error("not needed")) },
    );
    expect(await start().predict(frame)).toEqual({ sum: 36, timestamp: 40 });
  });

  it("rejects with errors in their own classes and continues", async () => {
    const estimator = start();
    await expect(estimator.predict("busy")).rejects.toMatchObject({
      name: "SednaError",
      code: "cloud-busy",
      retryable: true,
      retryAfterMs: 7,
    });
    await expect(
      estimator.predict({ x: { dtype: "float32", shape: [1, 3], data: new Float32Array(3) } }),
    ).rejects.toThrow(TypeError);
    expect(await estimator.predict(x)).toMatchObject({ y: { shape: [1, 4] } });
  });

  it("notifies the Worker when the caller aborts", async () => {
    const estimator = start();
    await estimator.load();
    const controller = new AbortController();
    const hanging = estimator.predict("hang", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(hanging).rejects.toThrow("enough");
    expect(await estimator.predict(x)).toMatchObject({ y: { shape: [1, 4] } });
  });

  it("rejects pending and later calls when the Worker crashes", async () => {
    const estimator = start();
    await estimator.load();
    await expect(estimator.predict("crash")).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("the worker's own bug"),
    });
    await expect(estimator.predict(x)).rejects.toMatchObject({ code: "run-failed" });
  });

  it("does not wait for a hanging Worker on dispose", async () => {
    const estimator = start();
    await estimator.load();
    const hanging = estimator.predict("hang").catch((error: unknown) => error);
    const started = performance.now();
    await estimator.dispose();
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await hanging).toMatchObject({ code: expect.stringMatching(/disposed|run-failed/) });
  });

  it("terminates the Worker on dispose", async () => {
    const worker = tinyWorker();
    const ended = new Promise((resolve) => worker.on("exit", resolve));
    const estimator = workerEstimator(worker);
    await estimator.load();
    await estimator.dispose();
    await ended;
    await expect(estimator.predict(x)).rejects.toMatchObject({ code: "disposed" });
  });
});
