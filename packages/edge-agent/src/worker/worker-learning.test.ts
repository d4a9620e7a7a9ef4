import { describe, expect, it } from "vitest";
import { bundledWorker } from "../../../../testing/workers/bundled-worker.ts";
import {
  CLASSES,
  trainableEstimatorSuite,
  separable,
  WIDTH,
} from "../../../../testing/suites/trainable-estimator-suite.ts";
import { workerLearningSuite } from "../../../../testing/suites/worker-learning-suite.ts";
import { headEstimator } from "../training/head-estimator.ts";
import { workerEstimator } from "./worker-estimator.ts";

const testing = (file: string): URL => new URL(`../../../../testing/workers/${file}`, import.meta.url);
const [learning, tiny] = [
  await bundledWorker(testing("learning-worker.ts")),
  await bundledWorker(testing("tiny-worker.ts")),
];
const open = (start = learning) => workerEstimator<Float32Array, Float32Array>(start());
const here = () =>
  headEstimator({
    features: "samples",
    head: { kind: "mlp", features: WIDTH, hidden: 6, classes: CLASSES },
    seed: 3,
  });

trainableEstimatorSuite("a head in a Node Worker", { make: () => open() });
workerLearningSuite("a Node Worker", { inWorker: () => open(), here });

describe("workerEstimator() of an estimator that is not trainable", { timeout: 20_000 }, () => {
  it("says so", async () => {
    const estimator = open(tiny);
    await expect(estimator.train(separable(3))).rejects.toThrow(
      new TypeError("train a model in a worker: expected an estimator that learns; got one without train()"),
    );
    await expect(estimator.getWeights()).rejects.toThrow("without getWeights()");
    await estimator.dispose();
  });
});
