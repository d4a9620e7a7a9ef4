import { createPerceptionKernels, type PerceptionKernels } from "../perception-kernels.ts";
import type { FloatStore } from "../resident-floats.ts";
import { gflDecode, heatmapPeaks, nms, topClass } from "./detections.ts";
import { crossEntropy, ibt, threshold } from "./hard-examples.ts";
import { referenceImageStore } from "./image-store.ts";

/** Creates the reference perception kernels: simple loops in plain TypeScript. */
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

/** Creates floats in an ordinary array. */
function referenceFloatStore(length: number): FloatStore {
  const values = new Float32Array(length);
  return { values: () => values, dispose: () => {} };
}
