import { describeValue } from "@sedna-js/core/errors";

/** [xmin, ymin, xmax, ymax] in pixels. Further numbers, such as those of detections, are ignored. */
export type Region = ArrayLike<number>;

/**
 * The part of a sample that may leave the device.
 *
 * - `never`: nothing.
 * - `features`: the model's result, no pixels.
 * - `crop`: only the pixels of the regions.
 * - `blurred`: the image with its regions pixelated.
 * - `full`: the whole image.
 */
export type PrivacyLevel = "never" | "features" | "crop" | "blurred" | "full";

const levels: readonly string[] = ["never", "features", "crop", "blurred", "full"] satisfies PrivacyLevel[];

/**
 * Returns the policy.
 *
 * @throws {RangeError} If the level is unknown, so that nothing leaves by mistake.
 */
export function checkPrivacy<Sample, Result>(
  policy: PrivacyPolicy<Sample, Result>,
): PrivacyPolicy<Sample, Result> {
  if (!levels.includes(policy.level))
    throw new RangeError(
      `set the privacy policy: expected a level of ${levels.join(", ")}; got ${describeValue(policy.level)}`,
    );
  return policy;
}

/**
 * A job's privacy policy for images. It applies to all data that leaves: requests to the big model and stored
 * samples.
 */
export interface PrivacyPolicy<Sample, Result> {
  readonly level: PrivacyLevel;
  /** Called for each sample. If it does not return `true`, nothing leaves. Default: consent is given. */
  readonly consent?: (sample: Sample) => boolean;
  /**
   * Regions that `crop` shows and `blurred` hides, in pixels of the frame. Default: the boxes of the little
   * model's detections.
   */
  readonly regions?: (sample: Sample, result: Result | null) => readonly Region[];
}
