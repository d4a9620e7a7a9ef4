import { area, overlap } from "../../module/box-geometry.ts";
import type { GflDecodeCall } from "../gfl-decode.ts";
import type { HeatmapPeaksCall } from "../heatmap-peaks.ts";
import type { NmsCall } from "../nms.ts";
import type { TopClass, TopClassCall } from "../top-class.ts";

/** Reference implementation of `topClass`. */
export function topClass({ scores, classes, cells, threshold }: TopClassCall): TopClass {
  const index: number[] = [];
  const label: number[] = [];
  const score: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const row = scores.subarray(cell * classes, (cell + 1) * classes);
    let best = -Infinity;
    for (const value of row) if (value > best) best = value;
    // Not found if all scores are NaN. +0 and -0 are equal, so the first of them is used.
    const first = row.indexOf(best);
    if (first >= 0 && best >= threshold) {
      index.push(cell);
      label.push(first);
      score.push(row[first]!);
    }
  }
  return { index: Uint32Array.from(index), label: Uint32Array.from(label), score: Float32Array.from(score) };
}

/** Reference implementation of `gflDecode`, in f64. */
export function gflDecode({ distances, cells, bins, stride, gridWidth }: GflDecodeCall): Float32Array {
  const boxes = new Float32Array(4 * cells.length);
  cells.forEach((cell, i) => {
    const side = (at: number) =>
      stride * expectedBin(distances.subarray((4 * cell + at) * bins, (4 * cell + at + 1) * bins));
    const x = ((cell % gridWidth) + 0.5) * stride;
    const y = (Math.floor(cell / gridWidth) + 0.5) * stride;
    boxes.set([x - side(0), y - side(1), x + side(2), y + side(3)], 4 * i);
  });
  return boxes;
}

function expectedBin(logits: Float32Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  let weighted = 0;
  logits.forEach((logit, bin) => {
    const weight = Math.exp(logit - largest);
    sum += weight;
    weighted += weight * bin;
  });
  return weighted / sum;
}

/** Reference implementation of `heatmapPeaks`. */
export function heatmapPeaks({ heatmap, height, width, threshold }: HeatmapPeaksCall): Uint32Array {
  const cells: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = heatmap[y * width + x]!;
      let peak = value >= threshold;
      for (let ny = Math.max(y - 1, 0); ny <= Math.min(y + 1, height - 1); ny++) {
        for (let nx = Math.max(x - 1, 0); nx <= Math.min(x + 1, width - 1); nx++) {
          if (heatmap[ny * width + nx]! > value) peak = false;
        }
      }
      if (peak) cells.push(y * width + x);
    }
  }
  return Uint32Array.from(cells);
}

const { fround } = Math;

/** Reference implementation of `nms`: sorts the boxes, then compares each box with all kept boxes. */
export function nms({ boxes, scores, labels, iouThreshold, most }: NmsCall): Uint32Array {
  const order = [...scores.keys()].filter((i) => scores[i]! > -Infinity);
  order.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const kept: number[] = [];
  for (const i of order) {
    if (kept.length >= most) break;
    const box = boxes.subarray(4 * i, 4 * i + 4);
    const clashes = kept.some(
      (k) => labels?.[k] === labels?.[i] && iou(boxes.subarray(4 * k, 4 * k + 4), box) > iouThreshold,
    );
    if (!clashes) kept.push(i);
  }
  return Uint32Array.from(kept);
}

/** Returns the intersection over union in f32; NaN for two boxes without area. */
function iou(a: Float32Array, b: Float32Array): number {
  const shared = overlap(a, b);
  return fround(shared / fround(fround(area(a) + area(b)) - shared));
}
