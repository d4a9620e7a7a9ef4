import { describe } from "vitest";
import { loadTrainingKernels } from "./load-training-kernels.ts";
import { trainingSuite } from "./training.suite.ts";

describe("wasm training kernels in a browser", () => {
  trainingSuite(() => loadTrainingKernels({ backend: "wasm" }));
});
