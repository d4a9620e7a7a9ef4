import { anyNumber } from "../module/check.ts";
import { checkImageScores, type CheckedImageScores, type ImageScores } from "./image-scores.ts";

/** Scores and threshold for {@link PerceptionKernels.threshold}. */
export interface ThresholdOptions extends ImageScores {
  /** An image is hard if the mean of its scores is `<` this threshold. */
  readonly threshold: number;
}

/** Validated {@link ThresholdOptions}. */
export interface ThresholdCall extends CheckedImageScores {
  readonly threshold: number;
}

/**
 * Validates the options of {@link PerceptionKernels.threshold}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkThreshold(options: ThresholdOptions): ThresholdCall {
  const action = "threshold";
  const threshold = anyNumber({ action, name: "threshold" }, options.threshold);
  // The properties are listed because a spread takes V8 longer than all the checks.
  const { scores, offsets, out } = checkImageScores(action, options);
  return { scores, offsets, out, threshold };
}
