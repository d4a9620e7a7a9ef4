import type { CellLumaCall } from "../frame-difference.ts";

/** Slow twin of the motion gate's sums: one pixel at a time. */
export function cellLuma({ data, width, height, cell, sums }: CellLumaCall): void {
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
