import type { EngineCheck } from "./engine-check.ts";
import { kernelChecks } from "./kernel-checks.ts";
import { onnxChecks } from "./onnx-checks.ts";
import { sourceChecks } from "./source-checks.ts";
import { storageChecks } from "./storage-checks.ts";
import { webgpuChecks } from "./webgpu-checks.ts";
import { workerChecks } from "./worker-checks.ts";

/** All that every engine is asked, in this order. A new one is a line here or in a list. */
export const engineChecks: readonly EngineCheck[] = [
  ...kernelChecks,
  ...onnxChecks,
  ...workerChecks,
  ...sourceChecks,
  ...storageChecks,
  ...webgpuChecks,
];
