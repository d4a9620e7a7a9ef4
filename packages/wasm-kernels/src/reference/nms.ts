import type { NmsCall } from "../nms.ts";
import { area, overlap } from "./box-geometry.ts";

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

/** Intersection over union in f32; NaN for two boxes without area. */
function iou(a: Float32Array, b: Float32Array): number {
  const shared = overlap(a, b);
  return fround(shared / fround(fround(area(a) + area(b)) - shared));
}
