import { describe } from "vitest";
import { loadTrackingKernels } from "./load-tracking-kernels.ts";
import { trackingSuite } from "./tracking.suite.ts";

describe("wasm tracking kernels in a browser", () => {
  trackingSuite(() => loadTrackingKernels({ backend: "wasm" }));
});
