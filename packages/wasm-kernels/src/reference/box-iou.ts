import type { BoxIouCall } from "../box-iou.ts";
import { area, greater, lesser, overlap } from "./box-geometry.ts";

const { fround } = Math;

/** Slow twin of `boxIou`: one pair at a time, rounded as f32 after every step. */
export function boxIou({ boxes, others, out }: BoxIouCall): void {
  const columns = others.length / 4;
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / columns);
    const column = i % columns;
    out[i] = iou(boxes.subarray(4 * row, 4 * row + 4), others.subarray(4 * column, 4 * column + 4));
  }
}

function iou(a: Float32Array, b: Float32Array): number {
  // A NaN in `b` loses against the side of `a`, as if it were no limit; the area of `b`, 0, is one.
  const shared = lesser(overlap(a, b), area(b));
  return greater(0, fround(shared / fround(fround(area(a) + area(b)) - shared)));
}
