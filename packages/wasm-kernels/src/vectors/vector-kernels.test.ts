import { describe } from "vitest";
import { loadVectorKernels } from "./load-vector-kernels.ts";
import { vectorsSuite } from "./vectors.suite.ts";

describe.each(["wasm", "reference"] as const)("%s vector kernels", (backend) => {
  vectorsSuite(() => loadVectorKernels({ backend }));
});
