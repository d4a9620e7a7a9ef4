/// <reference lib="esnext.disposable" preserve="true" />
import { finiteNumber, integer, outOfRange } from "../module/check.ts";
import { checkSize } from "../perception/image-to-tensor-spec.ts";
import { checkImage, type RgbaImage } from "../perception/image-to-tensor.ts";
import type { Size } from "../perception/letterbox-plan.ts";

/** Image size, cell size, and threshold for {@link TrackingKernels.frameDifference}. */
export interface FrameDifferenceSpec extends Size {
  /** Side of a cell in pixels, 1..256. Default 8. Cells at the right and bottom edges may be smaller. */
  readonly cell?: number;
  /** A cell has changed if its mean luma (0..255) differs by more than this threshold. Default 8. */
  readonly threshold?: number;
}

/** Difference between an image and the previous image. */
export interface FrameChange {
  /** Share of changed cells, 0..1. 1 for the first image. */
  readonly changed: number;
  /** Absolute change of the cells' mean luma, averaged over all pixels, 0..255. 255 for the first image. */
  readonly mean: number;
}

/**
 * Motion gate: detects changes between images, so that a model can skip still images. Luma is `(77 R + 150 G
 * + 29 B) / 256`. All sums are exact.
 */
export interface FrameDifference {
  /** Compares the image with the image of the previous call, then stores its cells for the next call. */
  compare(image: RgbaImage): FrameChange;
  /** Discards the previous image. The next image counts as the first. */
  reset(): void;
  /** Releases the memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Validated {@link FrameDifferenceSpec}. */
export interface CheckedFrameDifference extends Size {
  readonly cell: number;
  readonly threshold: number;
}

/** Arguments for the luma sums of one image. */
export interface CellLumaCall extends Size {
  /** RGBA pixels, row by row. */
  readonly data: RgbaImage["data"];
  readonly cell: number;
  /** Output, row by row: 256 times the luma sum of each cell. */
  readonly sums: Uint32Array;
}

const action = "frameDifference";
const CELL = 8;
const THRESHOLD = 8;
/** Maximum side of a cell, so that its sum fits in 32 bits. */
const MAX_CELL = 256;

/**
 * Validates the options of {@link TrackingKernels.frameDifference}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkFrameDifference(spec: FrameDifferenceSpec): CheckedFrameDifference {
  const threshold = finiteNumber({ action, name: "threshold" }, spec.threshold ?? THRESHOLD);
  if (threshold < 0)
    outOfRange({ action, name: "threshold" }, { expected: "to be at least 0", got: threshold });
  const cell = integer({ action, name: "cell" }, { value: spec.cell ?? CELL, least: 1, most: MAX_CELL });
  return { ...checkSize(action, spec), cell, threshold };
}

/** Creates the motion gate that all backends share. `cellLuma` throws if the kernels are disposed. */
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
    if (memory === undefined) throw new Error(`${name}: expected a motion gate in use; got a disposed one`);
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
