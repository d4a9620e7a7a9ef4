import { describe } from "vitest";
import { loadKernelSet } from "../module/load-module.ts";
import { loadPerceptionKernels, perceptionModule } from "./load-perception-kernels.ts";
import { perceptionSuite } from "./perception.suite.ts";
import { noMinScores } from "./wasm/small-batches.ts";

describe.each(["wasm", "reference"] as const)("%s perception kernels", (backend) => {
  perceptionSuite(() => loadPerceptionKernels({ backend }));
});

describe("wasm perception kernels with small batches in the module", () => {
  perceptionSuite(() =>
    loadKernelSet("test", { backend: "wasm", candidates: [perceptionModule(noMinScores)] }),
  );
});
