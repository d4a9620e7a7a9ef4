/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { openBackend } from "../module/lifetime.ts";
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
 * The kernels that a camera's frames go through before and after a model: typed arrays in, typed arrays
 * out, synchronous. Results are the caller's own arrays, but for the views of {@link ImageToTensor}.
 *
 * Bad input throws before anything is touched: a TypeError for a wrong kind of value, a RangeError for
 * a wrong value. After `dispose` every call throws an Error. All backends give the same errors and,
 * where a method doesn't state a tolerance, the same bits.
 */
export interface PerceptionKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * Hard images by "image and box thresholds": 1 where `count(score <= thresholdBox) / n >= 1 - thresholdImg`,
   * else 0. An image without boxes, or with a score outside 0..1 (or NaN), is 0.
   * Source: Sedna, `IBTFilter`.
   */
  ibt(options: IbtOptions): Uint8Array;

  /**
   * Hard images by mean score: 1 where the mean, summed left to right in f64, is `< threshold`. No range
   * check; an image without boxes is 0. Source: Sedna, `ThresholdFilter`.
   */
  threshold(options: ThresholdOptions): Uint8Array;

  /**
   * Hard samples by entropy: 1 where `1 + sum(p ln p) / ln(classes) < threshold`. p = 0 adds nothing; a
   * value outside 0..1, or a single class, gives 0. The decisions are those of f64 arithmetic in every
   * backend; `confidences` of rows that sum to 1 are within 1e-6 of it.
   * Source: Sedna, `CrossEntropyFilter`, which raises for p = 0 and for one class.
   */
  crossEntropy(options: CrossEntropyOptions): Uint8Array;

  /** Room in kernel memory for scores or probabilities: large batches are mined there without a copy. */
  resident(length: number): ResidentFloats;

  /**
   * A converter from RGBA pictures to normalised tensors, with memory of its own. Equal bits in all
   * backends; within 1e-3 of a colour unit (0..255) of exact arithmetic.
   */
  imageToTensor(spec: ImageToTensorSpec): ImageToTensor;

  /** The cells of a detector's head whose best class reaches the threshold. NaN never wins. */
  topClass(options: TopClassOptions): TopClass;

  /**
   * Boxes `[m, 4]` (x1, y1, x2, y2 in tensor pixels) from generalised focal loss distances: the expected
   * bin of each side's softmax, times `stride`, around the cell's centre. Backends agree within
   * `bins * stride * 2e-6` plus f32 rounding of the coordinates; a logit that isn't finite gives an
   * unspecified box. Source: Li et al., "Generalized Focal Loss", 2020; NanoDet.
   */
  gflDecode(options: GflDecodeOptions): Float32Array;

  /**
   * Boxes at the peaks of a heat map: cells that reach the threshold and have no greater value among
   * their eight neighbours. Equal neighbours are all peaks; NaN is no peak.
   * Source: Zhou et al., "Objects as Points", 2019.
   */
  heatmapPeaks(options: HeatmapPeaksOptions): HeatmapPeaks;

  /**
   * Greedy non-maximum suppression: indices of the kept boxes, best score first, of equal scores the
   * lower index. IoU is computed in f32. A box whose score is NaN or -Infinity is never kept.
   */
  nms(options: NmsOptions): Uint32Array;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** One way to compute the perception kernels. Arguments have been checked; outputs are new unless the call carries them. */
export interface PerceptionBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  ibt(call: IbtCall): void;
  threshold(call: ThresholdCall): void;
  crossEntropy(call: CrossEntropyCall): void;
  topClass(call: TopClassCall): TopClass;
  gflDecode(call: GflDecodeCall): Float32Array;
  /** The peak cells, in row-major order. */
  heatmapPeaks(call: HeatmapPeaksCall): Uint32Array;
  nms(call: NmsCall): Uint32Array;
  resident(length: number): FloatStore;
  /** Of at least one pair. */
  imageToTensor(spec: CheckedSpec): ImageStore;
}

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
