import { outOfRange, typedArray } from "../module/check.ts";

/** Boxes to compare with {@link TrackingKernels.boxIou}. */
export interface BoxIouOptions {
  /** Boxes `[n, 4]` as x1, y1, x2, y2. */
  readonly boxes: Float32Array;
  /** Boxes `[m, 4]` in the same format. */
  readonly others: Float32Array;
}

/** Validated {@link BoxIouOptions}. */
export interface BoxIouCall extends BoxIouOptions {
  /** Output `[n, m]` for the IoU. */
  readonly out: Float32Array;
}

/**
 * Validates the options of {@link TrackingKernels.boxIou}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkBoxIou(options: BoxIouOptions): BoxIouCall {
  const [boxes, others] = [checkBoxes("boxes", options.boxes), checkBoxes("others", options.others)];
  return { boxes, others, out: new Float32Array((boxes.length / 4) * (others.length / 4)) };
}

function checkBoxes(name: string, value: unknown): Float32Array {
  const subject = { action: "boxIou", name };
  const boxes = typedArray(subject, { kind: "Float32Array", value });
  if (boxes.length % 4 !== 0)
    outOfRange(subject, { expected: "to have a multiple of 4 elements", got: boxes.length });
  return boxes;
}
