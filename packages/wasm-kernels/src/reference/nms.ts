import type { NmsCall } from "../nms.ts";

const { fround } = Math;

/** Slow twin of `nms`: sort, then test each box against all kept ones. */
export function nms({ boxes, scores, labels, iouThreshold, most }: NmsCall): Uint32Array {
  const order = [...scores.keys()].filter((i) => scores[i]! > -Infinity);
  order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const kept: number[] = [];
  for (const i of order) {
    if (kept.length >= most) break;
    const box = boxes.subarray(4 * i, 4 * i + 4);
    const clashes = kept.some(
      (k) => labels?.[k] === labels?.[i] && iou(boxes.subarray(4 * k, 4 * k + 4), box) > iouThreshold,
    );
    if (!clashes) kept.push(i);
  }
  return Uint32Array.from(kept);
}

// The fast path's `lesser` and `greater`: a NaN on the right loses, unlike in Math.min and Math.max.
const lesser = (a: number, b: number) => (b < a ? b : a);
const greater = (a: number, b: number) => (a < b ? b : a);
const length = (from: number, to: number) => greater(0, fround(to - from));

/** Intersection over union in f32; NaN for two boxes without area. */
function iou(a: Float32Array, b: Float32Array): number {
  const width = length(greater(a[0]!, b[0]!), lesser(a[2]!, b[2]!));
  const height = length(greater(a[1]!, b[1]!), lesser(a[3]!, b[3]!));
  const overlap = fround(width * height);
  return fround(overlap / fround(fround(area(a) + area(b)) - overlap));
}

function area(box: Float32Array): number {
  return fround(length(box[0]!, box[2]!) * length(box[1]!, box[3]!));
}
