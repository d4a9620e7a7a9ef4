// A Worker for tests of updates: the ONNX model in its workerData, and what is to go wrong with it.
import { workerData } from "node:worker_threads";
import { exposeEstimator, onnxEstimator, tensors, type Estimator, type Tensors } from "@sedna-js/edge-agent";

/** What the Worker is started with. */
export interface UpdateWorkerData {
  readonly model: Uint8Array;
  /** Ms that each answer takes longer. */
  readonly delayMs?: number;
  /** Fails on each so manieth sample, counted from `failFrom`. */
  readonly failEvery?: number;
  /** Samples before the faults begin. Default 0. */
  readonly failFrom?: number;
  /** What a fault is. Default an error. */
  readonly fault?: "throw" | "crash" | "slow";
}

exposeEstimator((): Estimator<Tensors, Tensors> => {
  const { model, delayMs = 0, failEvery = Infinity, failFrom = 0, fault = "throw" } = workerData as UpdateWorkerData;
  const inner = onnxEstimator({ model, task: tensors() });
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  let samples = 0;
  return {
    ...inner,
    async predict(sample, options) {
      const number = samples++ - failFrom;
      if (delayMs > 0) await wait(delayMs);
      if (number >= 0 && (number + 1) % failEvery === 0) {
        if (fault === "crash") process.exit(3);
        if (fault === "throw") throw new Error("the model's own fault");
        await wait(50);
      }
      return inner.predict(sample, options);
    },
  };
});
