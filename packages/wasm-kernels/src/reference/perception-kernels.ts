import { createPerceptionKernels } from "../create-perception-kernels.ts";
import type { PerceptionKernels } from "../perception-kernels.ts";
import { gflDecode, heatmapPeaks, topClass } from "./detections.ts";
import { crossEntropy, ibt, threshold } from "./hard-examples.ts";
import { referenceImageStore } from "./image-store.ts";
import { referenceFloatStore } from "./float-store.ts";
import { nms } from "./nms.ts";

/** The slow twin of the perception kernels: obvious loops in plain TypeScript. */
export function referencePerceptionKernels(): PerceptionKernels {
  return createPerceptionKernels({
    name: "reference",
    ibt,
    threshold,
    crossEntropy,
    topClass,
    gflDecode,
    heatmapPeaks,
    nms,
    resident: referenceFloatStore,
    imageToTensor: referenceImageStore,
  });
}
