import { anyNumber } from "../module/check.ts";
import { checkImageScores, type CheckedImageScores, type ImageScores } from "./image-scores.ts";

/** What {@link PerceptionKernels.threshold} takes. */
export interface ThresholdOptions extends ImageScores {
  /** The image is hard when the mean of its scores is `<` this. */
  readonly threshold: number;
}

/** {@link ThresholdOptions} that passed the checks. */
export interface ThresholdCall extends CheckedImageScores {
  readonly threshold: number;
}

/** Throws TypeError or RangeError; touches nothing. */
export function checkThreshold(options: ThresholdOptions): ThresholdCall {
  const action = "threshold";
  const threshold = anyNumber({ action, name: "threshold" }, options.threshold);
  // Spelled out: a spread takes V8 longer than all the checks.
  const { scores, offsets, out } = checkImageScores(action, options);
  return { scores, offsets, out, threshold };
}
