import { anyNumber, exactLength, integer, outOfRange, typedArray } from "../module/check.ts";

/** Boxes, scores, and limits for {@link PerceptionKernels.nms}. */
export interface NmsOptions {
  /** Boxes `[n, 4]` as x1, y1, x2, y2. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  /**
   * Class of each box. Boxes of different classes never suppress each other. Default: all boxes are of one
   * class.
   */
  readonly labels?: Uint32Array;
  /** A box is suppressed by a better box if their IoU is `>` this threshold, 0..1. */
  readonly iouThreshold: number;
  /** Maximum number of boxes to keep. Default: all. */
  readonly maxDetections?: number;
}

/** Validated {@link NmsOptions}. */
export interface NmsCall {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels: Uint32Array | undefined;
  readonly iouThreshold: number;
  /** Maximum number of boxes to keep, at most the number of boxes. */
  readonly most: number;
}

/**
 * Validates the options of {@link PerceptionKernels.nms}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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
