import { area, greater, lesser, overlap } from "../../module/box-geometry.ts";
import type { BoxIouCall } from "../box-iou.ts";
import type { CellLumaCall } from "../frame-difference.ts";
import { createTrackingKernels, type TrackingKernels } from "../tracking-kernels.ts";
import { assign } from "./assignment.ts";

/** Creates the reference tracking kernels: simple loops in plain TypeScript. */
export function referenceTrackingKernels(): TrackingKernels {
  return createTrackingKernels({ name: "reference", boxIou, assign, cellLuma });
}

const { fround } = Math;

/** Reference implementation of `boxIou`: one pair at a time, rounded to f32 after every step. */
function boxIou({ boxes, others, out }: BoxIouCall): void {
  const columns = others.length / 4;
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / columns);
    const column = i % columns;
    out[i] = iou(boxes.subarray(4 * row, 4 * row + 4), others.subarray(4 * column, 4 * column + 4));
  }
}

function iou(a: Float32Array, b: Float32Array): number {
  // A NaN in `b` does not limit the overlap, because a NaN on the right loses. The area of `b`, which is 0,
  // does.
  const shared = lesser(overlap(a, b), area(b));
  return greater(0, fround(shared / fround(fround(area(a) + area(b)) - shared)));
}

/** Reference implementation of the sums of the motion gate: one pixel at a time. */
function cellLuma({ data, width, height, cell, sums }: CellLumaCall): void {
  const across = Math.ceil(width / cell);
  sums.fill(0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      sums[Math.floor(y / cell) * across + Math.floor(x / cell)]! +=
        77 * data[at]! + 150 * data[at + 1]! + 29 * data[at + 2]!;
    }
  }
}
