import { anyNumber, exactLength, finiteNumber, integer, outOfRange, typedArray } from "../module/check.ts";

/** What {@link PerceptionKernels.heatmapPeaks} takes. */
export interface HeatmapPeaksOptions {
  /** `[height, width]`. */
  readonly heatmap: Float32Array;
  /** `[4, height, width]`: distances from the cell's centre to left, top, right, bottom, in tensor pixels. */
  readonly ltrb: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Tensor pixels a cell, in both directions. */
  readonly stride: number;
  /** A peak is kept when its value is `>=` this; compared as f64, exactly. */
  readonly threshold: number;
}

/** Peaks in row-major order of their cells. */
export interface HeatmapPeaks {
  /** `[m, 4]`: x1, y1, x2, y2 in tensor pixels. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
}

/** {@link HeatmapPeaksOptions} that passed the checks. */
export type HeatmapPeaksCall = HeatmapPeaksOptions;

/** Throws TypeError or RangeError; touches nothing. */
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

/** Boxes and scores of the peak cells. Not a backend's work: it reads five numbers a peak, and copying the maps would cost more. */
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
