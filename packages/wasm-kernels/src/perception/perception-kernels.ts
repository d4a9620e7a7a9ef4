/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { disposableBackend } from "../module/lifetime.ts";
import { checkCrossEntropy, type CrossEntropyCall, type CrossEntropyOptions } from "./cross-entropy.ts";
import { checkGflDecode, type GflDecodeCall, type GflDecodeOptions } from "./gfl-decode.ts";
import {
  boxesOfPeaks,
  checkHeatmapPeaks,
  type HeatmapPeaks,
  type HeatmapPeaksCall,
  type HeatmapPeaksOptions,
} from "./heatmap-peaks.ts";
import { checkIbt, type IbtCall, type IbtOptions } from "./ibt.ts";
import { type CheckedSpec, checkSpec, type ImageToTensorSpec } from "./image-to-tensor-spec.ts";
import { createImageToTensor, type ImageStore, type ImageToTensor } from "./image-to-tensor.ts";
import { checkNms, type NmsCall, type NmsOptions } from "./nms.ts";
import {
  checkResident,
  createResidentFloats,
  type FloatStore,
  type ResidentFloats,
} from "./resident-floats.ts";
import { checkThreshold, type ThresholdCall, type ThresholdOptions } from "./threshold.ts";
import { checkTopClass, type TopClass, type TopClassCall, type TopClassOptions } from "./top-class.ts";

/**
 * Kernels that process camera frames before and after a model: typed arrays in, typed arrays out,
 * synchronous. Results are the caller's own arrays, except for the views of {@link ImageToTensor} and {@link
 * ResidentFloats}.
 *
 * Invalid input throws before anything is modified: a TypeError for a value of the wrong type, a RangeError
 * for a value out of range. After `dispose` every call throws an Error. All backends throw the same errors
 * and return the same bits, unless a method states a tolerance.
 */
export interface PerceptionKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * Finds hard images by box and image thresholds: 1 if `count(score <= thresholdBox) / n >= 1 -
   * thresholdImg`, otherwise
   * 0. An image without boxes, or with a score outside 0..1 (or NaN), gives 0. Source: Sedna, `IBTFilter`.
   */
  ibt(options: IbtOptions): Uint8Array;

  /**
   * Finds hard images by mean score: 1 if the mean, summed left to right in f64, is `< threshold`, otherwise
   * 0. The range of the scores is not checked. An image without boxes gives 0. Source: Sedna,
   * `ThresholdFilter`.
   */
  threshold(options: ThresholdOptions): Uint8Array;

  /**
   * Finds hard samples by entropy: 1 if `1 + sum(p ln p) / ln(classes) < threshold`, otherwise 0. p = 0 adds
   * nothing to the sum. A value outside 0..1, or a single class, gives 0. In every backend the decisions are
   * those of f64 arithmetic, and the `confidences` of rows that sum to 1 are within 1e-6 of f64 arithmetic.
   * Source: Sedna, `CrossEntropyFilter`, which raises for p = 0 and for one class.
   */
  crossEntropy(options: CrossEntropyOptions): Uint8Array;

  /**
   * Allocates floats in kernel memory for scores or probabilities. Large batches are processed there without
   * a copy.
   */
  resident(length: number): ResidentFloats;

  /**
   * Creates a converter from RGBA images to normalized tensors, with its own memory. All backends return the
   * same bits, which are within 1e-3 of a color unit (0..255) of exact arithmetic.
   */
  imageToTensor(spec: ImageToTensorSpec): ImageToTensor;

  /** Returns the cells of a detection head whose best class reaches the threshold. NaN is never the best. */
  topClass(options: TopClassOptions): TopClass;

  /**
   * Decodes boxes `[m, 4]` (x1, y1, x2, y2 in tensor pixels) from the distances of generalized focal loss:
   * the expected bin of the softmax of each side, times `stride`, around the center of the cell. Backends
   * agree within `bins * stride * 2e-6` plus f32 rounding of the coordinates. A logit that is not finite
   * gives an unspecified box. Source: Li et al., "Generalized Focal Loss", 2020; NanoDet.
   */
  gflDecode(options: GflDecodeOptions): Float32Array;

  /**
   * Returns boxes at the peaks of a heat map: cells that reach the threshold and have no greater value among
   * their eight neighbors. Equal neighbors are all peaks; NaN is not a peak. Source: Zhou et al., "Objects as
   * Points", 2019.
   */
  heatmapPeaks(options: HeatmapPeaksOptions): HeatmapPeaks;

  /**
   * Performs greedy non-maximum suppression. Returns the indices of the kept boxes, best score first; among
   * equal scores, the lower index first. IoU is computed in f32. A box whose score is NaN or -Infinity is
   * never kept.
   */
  nms(options: NmsOptions): Uint32Array;

  /** Releases all memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/**
 * Backend of the perception kernels. Arguments are already validated. Outputs are new arrays unless the call
 * provides them.
 */
export interface PerceptionBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  ibt(call: IbtCall): void;
  threshold(call: ThresholdCall): void;
  crossEntropy(call: CrossEntropyCall): void;
  topClass(call: TopClassCall): TopClass;
  gflDecode(call: GflDecodeCall): Float32Array;
  /** Returns the indices of the peak cells in row-major order. */
  heatmapPeaks(call: HeatmapPeaksCall): Uint32Array;
  nms(call: NmsCall): Uint32Array;
  resident(length: number): FloatStore;
  /** Creates the storage of an image converter. */
  imageToTensor(spec: CheckedSpec): ImageStore;
}

/**
 * Creates the public perception kernels over a backend. Arguments are validated here, once for all backends.
 */
export function createPerceptionKernels(backend: PerceptionBackend): PerceptionKernels {
  const { opened, dispose } = disposableBackend(backend);
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
