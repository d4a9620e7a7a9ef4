import { outOfRange, typedArray } from "../module/check.ts";

/** What {@link TrackingKernels.boxIou} takes. */
export interface BoxIouOptions {
  /** `[n, 4]`: x1, y1, x2, y2. */
  readonly boxes: Float32Array;
  /** `[m, 4]`, likewise. */
  readonly others: Float32Array;
}

/** {@link BoxIouOptions} that passed the checks. */
export interface BoxIouCall extends BoxIouOptions {
  /** `[n, m]`, for the IoU. */
  readonly out: Float32Array;
}

/** Throws TypeError or RangeError; touches nothing. */
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
