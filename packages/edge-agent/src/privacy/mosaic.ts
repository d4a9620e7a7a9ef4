import type { Pixels } from "@sedna-js/core";
import type { PixelBox } from "./pixel-box.ts";

/** Maximum number of cells per side of a box: too few to recognize a face or a license plate. */
const CELLS = 6;
/** Minimum side of a cell, in pixels. Small boxes get fewer cells; a smaller box is a single cell. */
const MIN_CELL = 8;

/**
 * Pixelates boxes of an image in place: each cell of a coarse grid is replaced by its own mean. Unlike a blur
 * with a known kernel, averaging cannot be reversed by a filter.
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

/**
 * Returns the boundaries of equal parts of a side, none shorter than a cell. A shorter part at the end would
 * reveal its content.
 */
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
