import type { BackendName } from "../backend.ts";
import { createKernels } from "../create-kernels.ts";
import type { Kernels } from "../kernels.ts";
import { gflDecode, heatmapPeaks, nms, topClass } from "./detections.ts";
import { crossEntropy, ibt, threshold } from "./hard-examples.ts";
import { wasmImageStore } from "./image-store.ts";
import type { KernelExports } from "./kernel-exports.ts";
import { kernelMemory } from "./kernel-memory.ts";

/** The kernels over an instance of the module, which nothing else may use. */
export function wasmKernels(exports: KernelExports, name: BackendName): Kernels {
  const memory = kernelMemory(exports);
  return createKernels({
    name,
    ibt: (call) => ibt(memory, call),
    threshold: (call) => threshold(memory, call),
    crossEntropy: (call) => crossEntropy(memory, call),
    topClass: (call) => topClass(memory, call),
    gflDecode: (call) => gflDecode(memory, call),
    heatmapPeaks: (call) => heatmapPeaks(memory, call),
    nms: (call) => nms(memory, call),
    imageToTensor: (spec) => wasmImageStore(memory, spec),
  });
}
