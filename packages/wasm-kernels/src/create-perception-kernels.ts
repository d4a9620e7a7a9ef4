import type { PerceptionBackend } from "./backend.ts";
import { checkCrossEntropy } from "./cross-entropy.ts";
import { checkGflDecode } from "./gfl-decode.ts";
import { boxesOfPeaks, checkHeatmapPeaks } from "./heatmap-peaks.ts";
import { checkIbt } from "./ibt.ts";
import { checkSpec } from "./image-to-tensor-spec.ts";
import { createImageToTensor } from "./image-to-tensor.ts";
import { openBackend } from "./lifetime.ts";
import { checkNms } from "./nms.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";
import { checkResident, createResidentFloats } from "./resident-floats.ts";
import { checkThreshold } from "./threshold.ts";
import { checkTopClass } from "./top-class.ts";

/** The public perception kernels over a backend: every check is made here, once for all backends. */
export function createPerceptionKernels(backend: PerceptionBackend): PerceptionKernels {
  const { opened, dispose } = openBackend(backend);
  return {
    backend: backend.name,
    ibt(options) {
      const call = checkIbt(options);
      opened("ibt").ibt(call);
      return call.out;
    },
    threshold(options) {
      const call = checkThreshold(options);
      opened("threshold").threshold(call);
      return call.out;
    },
    crossEntropy(options) {
      const call = checkCrossEntropy(options);
      opened("crossEntropy").crossEntropy(call);
      return call.out;
    },
    topClass: (options) => opened("topClass").topClass(checkTopClass(options)),
    gflDecode: (options) => opened("gflDecode").gflDecode(checkGflDecode(options)),
    heatmapPeaks(options) {
      const call = checkHeatmapPeaks(options);
      return boxesOfPeaks(call, opened("heatmapPeaks").heatmapPeaks(call));
    },
    nms: (options) => opened("nms").nms(checkNms(options)),
    resident(length) {
      const checked = checkResident(length);
      return createResidentFloats(checked, {
        store: opened("resident").resident(checked),
        assertOpen: opened,
      });
    },
    imageToTensor(spec) {
      const checked = checkSpec(spec);
      return createImageToTensor(checked, {
        store: opened("imageToTensor").imageToTensor(checked),
        assertOpen: opened,
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
