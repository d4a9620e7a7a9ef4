import type { Pixels } from "@sedna-js/core";
import type { PixelBox } from "./pixel-box.ts";

/** A box is shown as at most so many cells a side: too few to tell a face or a plate by. */
const CELLS = 6;
/** Small boxes get fewer: a cell has at least so many pixels a side, or all that there are. */
const MIN_CELL = 8;

/**
 * Makes boxes of a picture unrecognisable, in place: each cell of a coarse grid becomes its own mean. What a mean has
 * swallowed no filter brings back, as one may with a blur whose kernel is known.
 */
export function mosaic(
  { width, data }: Pixels & { readonly data: Uint8ClampedArray },
  boxes: readonly PixelBox[],
): void {
  for (const { left, top, right, bottom } of boxes) {
    const cell = Math.max(MIN_CELL, Math.max(right - left, bottom - top) / CELLS);
    const [xs, ys] = [cuts(left, { to: right, cell }), cuts(top, { to: bottom, cell })];
    for (let j = 1; j < ys.length; j++) {
      for (let i = 1; i < xs.length; i++)
        average(data, { width, left: xs[i - 1]!, top: ys[j - 1]!, right: xs[i]!, bottom: ys[j]! });
    }
  }
}

/** Where a side is cut into even parts, none of them shorter than a cell: a sliver at the end would show what it has. */
function cuts(from: number, { to, cell }: { readonly to: number; readonly cell: number }): number[] {
  const parts = Math.max(1, Math.floor((to - from) / cell));
  return Array.from({ length: parts + 1 }, (_, i) => from + Math.round((i * (to - from)) / parts));
}

function average(
  data: Uint8ClampedArray,
  { width, left, top, right, bottom }: PixelBox & { readonly width: number },
): void {
  const count = (right - left) * (bottom - top);
  for (let channel = 0; channel < 4; channel++) {
    let sum = 0;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) sum += data[4 * (y * width + x) + channel]!;
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) data[4 * (y * width + x) + channel] = sum / count;
  }
}
