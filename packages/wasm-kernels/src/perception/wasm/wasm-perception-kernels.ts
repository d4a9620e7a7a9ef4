import { kernelMemory } from "../../module/kernel-memory.ts";
import { createPerceptionKernels, type PerceptionKernels } from "../perception-kernels.ts";
import type { FloatStore } from "../resident-floats.ts";
import { gflDecode, heatmapPeaks, nms, topClass } from "./detections.ts";
import { wasmImageStore } from "./image-store.ts";
import type { PerceptionExports, PerceptionMemory } from "./perception-exports.ts";
import { minScores, type MinScores, filtersBySize } from "./small-batches.ts";

/**
 * Creates the perception kernels over a module instance, which must have no other user. Tests and benchmarks
 * set `least`: 0 sends every batch of scores through the module, Infinity none.
 */
export function wasmPerceptionKernels(
  exports: PerceptionExports,
  least: MinScores = minScores,
): PerceptionKernels {
  const memory = kernelMemory(exports);
  return createPerceptionKernels({
    name: "wasm",
    ...filtersBySize(memory, least),
    topClass: (call) => topClass(memory, call),
    gflDecode: (call) => gflDecode(memory, call),
    heatmapPeaks: (call) => heatmapPeaks(memory, call),
    nms: (call) => nms(memory, call),
    resident: (length) => wasmFloatStore(memory, length),
    imageToTensor: (spec) => wasmImageStore(memory, spec),
  });
}

/** Creates floats in the module's memory. */
function wasmFloatStore(memory: PerceptionMemory, length: number): FloatStore {
  const address = memory.allocate(4 * length);
  memory.floats(address, length).fill(0);
  return { values: () => memory.floats(address, length), dispose: () => memory.free(address) };
}
