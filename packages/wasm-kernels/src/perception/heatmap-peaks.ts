import { anyNumber, exactLength, finiteNumber, integer, outOfRange, typedArray } from "../module/check.ts";

/** Heat map, distances, and threshold for {@link PerceptionKernels.heatmapPeaks}. */
export interface HeatmapPeaksOptions {
  /** Heat map `[height, width]`. */
  readonly heatmap: Float32Array;
  /**
   * Distances `[4, height, width]` from the center of the cell to left, top, right, and bottom, in tensor
   * pixels.
   */
  readonly ltrb: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Tensor pixels per cell, in both directions. */
  readonly stride: number;
  /** A peak is kept if its value is `>=` this threshold. The comparison is exact in f64. */
  readonly threshold: number;
}

/** Peaks in row-major order of their cells. */
export interface HeatmapPeaks {
  /** Boxes `[m, 4]` as x1, y1, x2, y2 in tensor pixels. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
}

/** Validated {@link HeatmapPeaksOptions}. */
export type HeatmapPeaksCall = HeatmapPeaksOptions;

/**
 * Validates the options of {@link PerceptionKernels.heatmapPeaks}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkHeatmapPeaks(options: HeatmapPeaksOptions): HeatmapPeaksCall {
  const action = "heatmapPeaks";
  const heatmap = typedArray({ action, name: "heatmap" }, { kind: "Float32Array", value: options.heatmap });
  const ltrb = typedArray({ action, name: "ltrb" }, { kind: "Float32Array", value: options.ltrb });
  const height = integer({ action, name: "height" }, { value: options.height, least: 1 });
  const width = integer({ action, name: "width" }, { value: options.width, least: 1 });
  exactLength({ action, name: "heatmap" }, { array: heatmap, length: height * width });
  exactLength({ action, name: "ltrb" }, { array: ltrb, length: 4 * height * width });
  const stride = finiteNumber({ action, name: "stride" }, options.stride);
  if (stride <= 0) outOfRange({ action, name: "stride" }, { expected: "to be positive", got: stride });
  return {
    heatmap,
    ltrb,
    height,
    width,
    stride,
    threshold: anyNumber({ action, name: "threshold" }, options.threshold),
  };
}

/**
 * Returns the boxes and scores of the peak cells. This is not left to the backend because it reads only five
 * numbers per peak, and copying the maps would cost more.
 */
export function boxesOfPeaks(
  { heatmap, ltrb, height, width, stride }: HeatmapPeaksCall,
  cells: Uint32Array,
): HeatmapPeaks {
  const boxes = new Float32Array(4 * cells.length);
  const plane = height * width;
  cells.forEach((cell, i) => {
    const x = ((cell % width) + 0.5) * stride;
    const y = (Math.floor(cell / width) + 0.5) * stride;
    boxes[4 * i] = x - ltrb[cell]!;
    boxes[4 * i + 1] = y - ltrb[plane + cell]!;
    boxes[4 * i + 2] = x + ltrb[2 * plane + cell]!;
    boxes[4 * i + 3] = y + ltrb[3 * plane + cell]!;
  });
  return { boxes, scores: Float32Array.from(cells, (cell) => heatmap[cell]!) };
}
