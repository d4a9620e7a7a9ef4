import { anyNumber, exactLength, integer, outOfRange, typedArray } from "../module/check.ts";

/** What {@link PerceptionKernels.nms} takes. */
export interface NmsOptions {
  /** `[n, 4]`: x1, y1, x2, y2. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  /** Boxes of different labels never suppress each other; without labels all are of one class. */
  readonly labels?: Uint32Array;
  /** A box is suppressed by a better one when their IoU is `>` this, in 0..1. */
  readonly iouThreshold: number;
  /** Most boxes to keep; all unless given. */
  readonly maxDetections?: number;
}

/** {@link NmsOptions} that passed the checks. */
export interface NmsCall {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels: Uint32Array | undefined;
  readonly iouThreshold: number;
  /** At most the number of boxes. */
  readonly most: number;
}

/** Throws TypeError or RangeError; touches nothing. */
export function checkNms(options: NmsOptions): NmsCall {
  const action = "nms";
  const scores = typedArray({ action, name: "scores" }, { kind: "Float32Array", value: options.scores });
  const boxes = typedArray({ action, name: "boxes" }, { kind: "Float32Array", value: options.boxes });
  exactLength({ action, name: "boxes" }, { array: boxes, length: 4 * scores.length });
  const { labels } = options;
  if (labels !== undefined) {
    const subject = { action, name: "labels" };
    exactLength(subject, {
      array: typedArray(subject, { kind: "Uint32Array", value: labels }),
      length: scores.length,
    });
  }
  const iouThreshold = anyNumber({ action, name: "iouThreshold" }, options.iouThreshold);
  if (iouThreshold < 0 || iouThreshold > 1)
    outOfRange({ action, name: "iouThreshold" }, { expected: "to be in 0..1", got: iouThreshold });
  const { maxDetections } = options;
  const most =
    maxDetections === undefined
      ? scores.length
      : integer({ action, name: "maxDetections" }, { value: maxDetections, least: 1 });
  return { boxes, scores, labels, iouThreshold, most: Math.min(most, scores.length) };
}
