import { describe } from "vitest";
import { kernelsSuite } from "./kernels.suite.ts";
import { loadKernels } from "./load-kernels.ts";

describe.each(["wasm", "reference"] as const)("%s kernels", (backend) => {
  kernelsSuite(() => loadKernels({ backend }));
});
