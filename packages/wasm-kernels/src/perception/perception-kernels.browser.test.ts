import { describe } from "vitest";
import { loadPerceptionKernels } from "./load-perception-kernels.ts";
import { perceptionSuite } from "./perception.suite.ts";

describe("wasm perception kernels in a browser", () => {
  perceptionSuite(() => loadPerceptionKernels({ backend: "wasm" }));
});
