import type { EngineCheck } from "./engine-check.ts";
import { kernelChecks } from "./kernel-checks.ts";
import { onnxChecks } from "./onnx-checks.ts";
import { sourceChecks } from "./source-checks.ts";
import { storageChecks } from "./storage-checks.ts";
import { webgpuChecks } from "./webgpu-checks.ts";
import { workerChecks } from "./worker-checks.ts";

/** All checks, in the order in which every engine runs them. Add a new check here or to one of the lists. */
export const engineChecks: readonly EngineCheck[] = [
  ...kernelChecks,
  ...onnxChecks,
  ...workerChecks,
  ...sourceChecks,
  ...storageChecks,
  ...webgpuChecks,
];
