import type { CrossEntropyCall } from "../cross-entropy.ts";
import type { IbtCall } from "../ibt.ts";
import type { CheckedImageScores } from "../image-scores.ts";
import type { ThresholdCall } from "../threshold.ts";

const inRange = (value: number) => value >= 0 && value <= 1;

/** Reference implementation of `ibt`. */
export function ibt(call: IbtCall): void {
  eachImage(call, (image) => {
    let low = 0;
    for (const score of image) {
      if (!inRange(score)) return false;
      if (score <= call.thresholdBox) low++;
    }
    return image.length > 0 && low / image.length >= call.share;
  });
}

/** Reference implementation of `threshold`. */
export function threshold(call: ThresholdCall): void {
  eachImage(call, (image) => {
    let sum = 0;
    for (const score of image) sum += score;
    return sum / image.length < call.threshold;
  });
}

/** Reference implementation of `crossEntropy`. */
export function crossEntropy({
  probabilities,
  classes,
  threshold,
  out,
  confidences,
}: CrossEntropyCall): void {
  for (let i = 0; i < out.length; i++) {
    const sure = confidence(probabilities.subarray(i * classes, (i + 1) * classes));
    out[i] = sure < threshold ? 1 : 0;
    if (confidences) confidences[i] = sure;
  }
}

/**
 * Returns `1 + sum(p ln p) / ln(classes)` in f64, in order; NaN for a value outside 0..1 or fewer than two
 * classes.
 */
export function confidence(probabilities: Float32Array): number {
  if (probabilities.length < 2) return NaN;
  let sum = 0;
  for (const p of probabilities) {
    if (!inRange(p)) return NaN;
    if (p > 0) sum += p * Math.log(p);
  }
  return 1 + sum / Math.log(probabilities.length);
}

function eachImage(
  { scores, offsets, out }: CheckedImageScores,
  isHard: (image: Float32Array) => boolean,
): void {
  for (let i = 0; i < out.length; i++) out[i] = isHard(scores.subarray(offsets[i], offsets[i + 1])) ? 1 : 0;
}
