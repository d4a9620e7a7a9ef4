import type { BoxIouCall } from "../box-iou.ts";

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

// The fast path's `lesser` and `greater`: a NaN on the right loses, unlike in Math.min and Math.max.
const lesser = (a: number, b: number) => (b < a ? b : a);
const greater = (a: number, b: number) => (a < b ? b : a);
const length = (from: number, to: number) => greater(0, fround(to - from));

function iou(a: Float32Array, b: Float32Array): number {
  const width = length(greater(a[0]!, b[0]!), lesser(a[2]!, b[2]!));
  const height = length(greater(a[1]!, b[1]!), lesser(a[3]!, b[3]!));
  // A NaN in `b` loses against the side of `a`, as if it were no limit; the area of `b`, 0, is one.
  const overlap = lesser(fround(width * height), area(b));
  return greater(0, fround(overlap / fround(fround(area(a) + area(b)) - overlap)));
}

function area(box: Float32Array): number {
  return fround(length(box[0]!, box[2]!) * length(box[1]!, box[3]!));
}
