import { describe } from "vitest";
import { loadTrackingKernels } from "./load-tracking-kernels.ts";
import { trackingSuite } from "./tracking.suite.ts";

describe.each(["wasm", "reference"] as const)("%s tracking kernels", (backend) => {
  trackingSuite(() => loadTrackingKernels({ backend }));
});
