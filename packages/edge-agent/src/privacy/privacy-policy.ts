import { describeValue } from "@sedna-js/core/errors";

/** [xmin, ymin, xmax, ymax] in pixels; further numbers, as detections have them, are not looked at. */
export type Region = ArrayLike<number>;

/**
 * What of a sample may leave the device.
 * - `never`: nothing. - `features`: the model's numbers, no pixels. - `crop`: the pixels of the regions only.
 * - `blurred`: the picture with the regions made unrecognisable. - `full`: the picture.
 */
export type PrivacyLevel = "never" | "features" | "crop" | "blurred" | "full";

const levels: readonly string[] = ["never", "features", "crop", "blurred", "full"] satisfies PrivacyLevel[];

/** @throws {RangeError} on a level that is none: nothing may leave by mistake. */
export function checkPrivacy<Sample, Result>(
  policy: PrivacyPolicy<Sample, Result>,
): PrivacyPolicy<Sample, Result> {
  if (!levels.includes(policy.level))
    throw new RangeError(
      `set the privacy policy: expected a level of ${levels.join(", ")}; got ${describeValue(policy.level)}`,
    );
  return policy;
}

/** A job's promise about pictures. It binds everything that leaves: questions to the big model and stored samples alike. */
export interface PrivacyPolicy<Sample, Result> {
  readonly level: PrivacyLevel;
  /** Asked for each sample; where it says no, nothing leaves. Default: yes. */
  readonly consent?: (sample: Sample) => boolean;
  /** What `crop` shows and `blurred` hides, in pixels of the frame. Default: the boxes of the little model's detections. */
  readonly regions?: (sample: Sample, result: Result | null) => readonly Region[];
}
