import { describe } from "vitest";
import { loadVectorKernels } from "./load-vector-kernels.ts";
import { vectorsSuite } from "./vectors.suite.ts";

describe.each(["wasm-relaxed", "wasm"] as const)("%s vector kernels in a browser", (backend) => {
  vectorsSuite(() => loadVectorKernels({ backend }));
});
