import { anyNumber } from "../module/check.ts";
import { checkImageScores, type CheckedImageScores, type ImageScores } from "./image-scores.ts";

/** Scores and thresholds for {@link PerceptionKernels.ibt}. Thresholds are compared exactly in f64. */
export interface IbtOptions extends ImageScores {
  /** A box is low if its score is `<=` this threshold. */
  readonly thresholdBox: number;
  /**
   * An image is hard if its share of low boxes is `>= 1 - thresholdImg`. A larger threshold gives more hard
   * images.
   */
  readonly thresholdImg: number;
}

/** Validated {@link IbtOptions}. */
export interface IbtCall extends CheckedImageScores {
  readonly thresholdBox: number;
  /** Minimum share of low boxes in a hard image: `1 - thresholdImg`. */
  readonly share: number;
}

/**
 * Validates the options of {@link PerceptionKernels.ibt}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkIbt(options: IbtOptions): IbtCall {
  const action = "ibt";
  const thresholdBox = anyNumber({ action, name: "thresholdBox" }, options.thresholdBox);
  const thresholdImg = anyNumber({ action, name: "thresholdImg" }, options.thresholdImg);
  // Sedna computes 1 - threshold_img in f64: 0.7 gives 0.30000000000000004, so 3 low boxes of 10 are not
  // enough.
  const share = 1 - thresholdImg;
  // The properties are listed because a spread takes V8 longer than all the checks.
  const { scores, offsets, out } = checkImageScores(action, options);
  return { scores, offsets, out, thresholdBox, share };
}
