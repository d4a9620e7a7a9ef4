import { describe } from "vitest";
import { kernelsSuite } from "./kernels.suite.ts";
import { loadKernels } from "./load-kernels.ts";

describe("wasm kernels in a browser", () => {
  kernelsSuite(() => loadKernels({ backend: "wasm" }));
});
