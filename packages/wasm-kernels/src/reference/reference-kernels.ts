import { createKernels } from "../create-kernels.ts";
import type { Kernels } from "../kernels.ts";
import { gflDecode, heatmapPeaks, topClass } from "./detections.ts";
import { crossEntropy, ibt, threshold } from "./hard-examples.ts";
import { referenceImageStore } from "./image-store.ts";
import { nms } from "./nms.ts";

/**
 * The slow twin: the same kernels as obvious loops in plain TypeScript. It is the oracle that the fast
 * kernels are tested against, and the fallback where WebAssembly is refused.
 */
export function referenceKernels(): Kernels {
  return createKernels({
    name: "reference",
    ibt,
    threshold,
    crossEntropy,
    topClass,
    gflDecode,
    heatmapPeaks,
    nms,
    imageToTensor: referenceImageStore,
  });
}
