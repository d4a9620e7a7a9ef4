/// <reference lib="esnext.disposable" preserve="true" />
import { finiteNumber, integer, outOfRange } from "../module/check.ts";
import { checkSize } from "../perception/image-to-tensor-spec.ts";
import { checkImage, type RgbaImage } from "../perception/image-to-tensor.ts";
import type { Size } from "../perception/letterbox-plan.ts";

/** What {@link TrackingKernels.frameDifference} takes. */
export interface FrameDifferenceSpec extends Size {
  /** Side of a cell in pixels, 1..256; 8 unless given. Cells at the right and at the bottom may be smaller. */
  readonly cell?: number;
  /** A cell has changed when its mean luma (0..255) moved by more than this; 8 unless given. */
  readonly threshold?: number;
}

/** How much a picture differs from the one before. */
export interface FrameChange {
  /** The share of cells that have changed, 0..1; 1 for the first picture. */
  readonly changed: number;
  /** By how much the cells' mean luma moved, up or down: the mean over all pixels, 0..255; 255 for the first picture. */
  readonly mean: number;
}

/**
 * Tells still pictures from moving ones, so that a model may rest. Luma is `(77 R + 150 G + 29 B) / 256`; all
 * sums are exact.
 */
export interface FrameDifference {
  /** Compares with the picture of the call before, and keeps this one's cells in its place. */
  compare(image: RgbaImage): FrameChange;
  /** Forgets the picture before: the next one is a first one. */
  reset(): void;
  /** Lets go of the memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** {@link FrameDifferenceSpec} that passed the checks. */
export interface CheckedFrameDifference extends Size {
  readonly cell: number;
  readonly threshold: number;
}

/** One picture's brightness, cell by cell. */
export interface CellLumaCall extends Size {
  /** RGBA, row by row. */
  readonly data: RgbaImage["data"];
  readonly cell: number;
  /** Rows of cells: 256 times the sum of the luma of each. */
  readonly sums: Uint32Array;
}

const action = "frameDifference";
const CELL = 8;
const THRESHOLD = 8;
/** The largest cell whose sum fits 32 bits. */
const MAX_CELL = 256;

/** Throws TypeError or RangeError; touches nothing. */
export function checkFrameDifference(spec: FrameDifferenceSpec): CheckedFrameDifference {
  const threshold = finiteNumber({ action, name: "threshold" }, spec.threshold ?? THRESHOLD);
  if (threshold < 0)
    outOfRange({ action, name: "threshold" }, { expected: "to be at least 0", got: threshold });
  const cell = integer({ action, name: "cell" }, { value: spec.cell ?? CELL, least: 1, most: MAX_CELL });
  return { ...checkSize(action, spec), cell, threshold };
}

/** What all backends share; `cellLuma` throws when the kernels were disposed. */
export function createFrameDifference(
  spec: CheckedFrameDifference,
  cellLuma: (call: CellLumaCall) => void,
): FrameDifference {
  const cells = Math.ceil(spec.width / spec.cell) * Math.ceil(spec.height / spec.cell);
  let memory: { before: Uint32Array; sums: Uint32Array } | undefined = {
    before: new Uint32Array(cells),
    sums: new Uint32Array(cells),
  };
  let first = true;

  const opened = (name: string) => {
    if (memory === undefined) throw new Error(`${name}: expected a motion gate in use, got a disposed one`);
    return memory;
  };
  const dispose = () => {
    memory = undefined;
  };

  return {
    compare(image) {
      const { before, sums } = opened("compare");
      checkImage("compare", image);
      for (const side of ["width", "height"] as const) {
        if (image[side] !== spec[side])
          outOfRange(
            { action: "compare", name: side },
            { expected: `to be ${spec[side]}`, got: image[side] },
          );
      }
      cellLuma({ ...spec, data: image.data, sums });
      memory = { before: sums, sums: before };
      const change = first ? { changed: 1, mean: 255 } : difference(spec, { before, sums });
      first = false;
      return change;
    },
    reset() {
      opened("reset");
      first = true;
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function difference(
  { width, height, cell, threshold }: CheckedFrameDifference,
  { before, sums }: { before: Uint32Array; sums: Uint32Array },
): FrameChange {
  let changed = 0;
  let total = 0;
  let at = 0;
  for (let top = 0; top < height; top += cell) {
    const rows = Math.min(cell, height - top);
    for (let left = 0; left < width; left += cell) {
      const moved = Math.abs(sums[at]! - before[at]!);
      const pixels = rows * Math.min(cell, width - left);
      if (moved > 256 * threshold * pixels) changed++;
      total += moved;
      at++;
    }
  }
  return { changed: changed / sums.length, mean: total / (256 * width * height) };
}
