import { anyNumber } from "../module/check.ts";
import { checkImageScores, type CheckedImageScores, type ImageScores } from "./image-scores.ts";

/** What {@link PerceptionKernels.ibt} takes. Thresholds are compared as f64, exactly. */
export interface IbtOptions extends ImageScores {
  /** A box is low when its score is `<=` this. */
  readonly thresholdBox: number;
  /** The image is hard when the share of low boxes is `>= 1 - thresholdImg`: larger means more hard images. */
  readonly thresholdImg: number;
}

/** {@link IbtOptions} that passed the checks. */
export interface IbtCall extends CheckedImageScores {
  readonly thresholdBox: number;
  /** `1 - thresholdImg`. */
  readonly share: number;
}

/** Throws TypeError or RangeError; touches nothing. */
export function checkIbt(options: IbtOptions): IbtCall {
  const action = "ibt";
  const thresholdBox = anyNumber({ action, name: "thresholdBox" }, options.thresholdBox);
  const thresholdImg = anyNumber({ action, name: "thresholdImg" }, options.thresholdImg);
  // Sedna computes 1 - threshold_img in f64: 0.7 gives 0.30000000000000004, so 3 low boxes of 10 are not enough.
  const share = 1 - thresholdImg;
  // Spelled out: a spread takes V8 longer than all the checks.
  const { scores, offsets, out } = checkImageScores(action, options);
  return { scores, offsets, out, thresholdBox, share };
}
