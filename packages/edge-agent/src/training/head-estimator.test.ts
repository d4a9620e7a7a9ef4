import { trainableEstimatorSuite, CLASSES, WIDTH } from "../../../../testing/trainable-estimator-suite.ts";
import { headEstimator } from "./head-estimator.ts";

const softmax = { kind: "softmax", features: WIDTH, classes: CLASSES } as const;
const mlp = { kind: "mlp", features: WIDTH, hidden: 6, classes: CLASSES } as const;

trainableEstimatorSuite("a softmax", { make: () => headEstimator({ features: "samples", head: softmax }) });
trainableEstimatorSuite("an MLP", { make: () => headEstimator({ features: "samples", head: mlp, seed: 3 }) });
trainableEstimatorSuite("a head on the slow twin", { make: () => headEstimator({ features: "samples", head: mlp, seed: 3, backend: "reference" }) });
