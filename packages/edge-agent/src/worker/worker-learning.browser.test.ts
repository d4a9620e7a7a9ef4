import { CLASSES, trainableEstimatorSuite, WIDTH } from "../../../../testing/trainable-estimator-suite.ts";
import { workerLearningSuite } from "../../../../testing/worker-learning-suite.ts";
import { headEstimator } from "../training/head-estimator.ts";
import { workerEstimator } from "./worker-estimator.ts";

const open = () => workerEstimator<Float32Array, Float32Array>(new Worker(new URL("../../../../testing/learning-worker.ts", import.meta.url), { type: "module" }));
const here = () => headEstimator({ features: "samples", head: { kind: "mlp", features: WIDTH, hidden: 6, classes: CLASSES }, seed: 3 });

trainableEstimatorSuite("a head in a page", { make: here });
trainableEstimatorSuite("a head in a Worker of the browser", { make: open });
workerLearningSuite("a Worker of the browser", { inWorker: open, here });
