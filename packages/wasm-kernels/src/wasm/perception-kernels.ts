import { createPerceptionKernels } from "../create-perception-kernels.ts";
import type { PerceptionKernels } from "../perception-kernels.ts";
import { gflDecode, heatmapPeaks, nms, topClass } from "./detections.ts";
import { wasmFloatStore } from "./float-store.ts";
import { wasmImageStore } from "./image-store.ts";
import { kernelMemory } from "./kernel-memory.ts";
import type { PerceptionExports } from "./perception-exports.ts";
import { leastScores, minersBySize, type LeastScores } from "./small-batches.ts";

/**
 * The perception kernels over an instance of their module, which nothing else may use. Tests and benchmarks set
 * `least`: 0 sends every batch through the module, Infinity none.
 */
export function wasmPerceptionKernels(
  exports: PerceptionExports,
  least: LeastScores = leastScores,
): PerceptionKernels {
  const memory = kernelMemory(exports);
  return createPerceptionKernels({
    name: "wasm",
    ...minersBySize(memory, least),
    topClass: (call) => topClass(memory, call),
    gflDecode: (call) => gflDecode(memory, call),
    heatmapPeaks: (call) => heatmapPeaks(memory, call),
    nms: (call) => nms(memory, call),
    resident: (length) => wasmFloatStore(memory, length),
    imageToTensor: (spec) => wasmImageStore(memory, spec),
  });
}
