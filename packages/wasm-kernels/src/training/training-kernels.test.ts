import { describe } from "vitest";
import { loadTrainingKernels } from "./load-training-kernels.ts";
import { trainingSuite } from "./training.suite.ts";

describe.each(["wasm", "reference"] as const)("%s training kernels", (backend) => {
  trainingSuite(() => loadTrainingKernels({ backend }));
});
