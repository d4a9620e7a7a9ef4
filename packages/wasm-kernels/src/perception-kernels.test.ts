import { describe } from "vitest";
import { loadPerceptionKernels } from "./load-perception-kernels.ts";
import { perceptionSuite } from "./perception.suite.ts";

describe.each(["wasm", "reference"] as const)("%s perception kernels", (backend) => {
  perceptionSuite(() => loadPerceptionKernels({ backend }));
});
