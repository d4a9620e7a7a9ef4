import { ceilToFloat32, floorToFloat32 } from "../../module/float32-bound.ts";
import type { GflDecodeCall } from "../gfl-decode.ts";
import type { HeatmapPeaksCall } from "../heatmap-peaks.ts";
import type { NmsCall } from "../nms.ts";
import type { TopClass, TopClassCall } from "../top-class.ts";
import type { PerceptionMemory } from "./perception-exports.ts";
import { rowWindows } from "../../module/windows.ts";

/** Runs `topClass` in the module. */
export function topClass(
  memory: PerceptionMemory,
  { scores, classes, cells, threshold }: TopClassCall,
): TopClass {
  const kept = {
    index: new Uint32Array(cells),
    label: new Uint32Array(cells),
    score: new Float32Array(cells),
  };
  let count = 0;
  for (const { first, last } of rowWindows({ rows: cells, columns: classes })) {
    const rows = last - first;
    const [inputs, index, label, score] = memory.scratch(
      4 * rows * classes,
      4 * rows,
      4 * rows,
      4 * rows,
    ) as [number, number, number, number];
    memory.floats(inputs, rows * classes).set(scores.subarray(first * classes, last * classes));
    const found = memory.exports.top_class(
      inputs,
      rows,
      classes,
      ceilToFloat32(threshold),
      index,
      label,
      score,
    );
    kept.index.set(
      memory.words(index, found).map((row) => first + row),
      count,
    );
    kept.label.set(memory.words(label, found), count);
    kept.score.set(memory.floats(score, found), count);
    count += found;
  }
  return {
    index: kept.index.slice(0, count),
    label: kept.label.slice(0, count),
    score: kept.score.slice(0, count),
  };
}

/** Runs `gflDecode` in the module. Only the rows of the requested cells are copied. */
export function gflDecode(memory: PerceptionMemory, call: GflDecodeCall): Float32Array {
  const { distances, cells, bins, stride, gridWidth } = call;
  const row = 4 * bins;
  const [logits, wanted, boxes] = memory.scratch(
    4 * cells.length * row,
    4 * cells.length,
    16 * cells.length,
  ) as [number, number, number];
  const gathered = memory.floats(logits, cells.length * row);
  cells.forEach((cell, i) => gathered.set(distances.subarray(cell * row, (cell + 1) * row), i * row));
  memory.words(wanted, cells.length).set(cells);
  memory.exports.gfl_decode(logits, wanted, cells.length, bins, stride, gridWidth, boxes);
  return memory.floats(boxes, 4 * cells.length).slice();
}

/** Runs `heatmapPeaks` in the module. */
export function heatmapPeaks(
  memory: PerceptionMemory,
  { heatmap, height, width, threshold }: HeatmapPeaksCall,
): Uint32Array {
  const [values, cells] = memory.scratch(4 * heatmap.length, 4 * heatmap.length) as [number, number];
  memory.floats(values, heatmap.length).set(heatmap);
  const found = memory.exports.heatmap_peaks(values, height, width, ceilToFloat32(threshold), cells);
  return memory.words(cells, found).slice();
}

/** Bytes that the module's `nms` needs for each four boxes: `Group` in `rust/src/nms.rs`. */
const GROUP_BYTES = 128;

/** Runs `nms` in the module. */
export function nms(memory: PerceptionMemory, call: NmsCall): Uint32Array {
  const count = call.scores.length;
  const groupBytes = Math.ceil(count / 4) * GROUP_BYTES;
  const [boxes, scores, labels, groups, kept] = memory.scratch(
    16 * count,
    4 * count,
    4 * count,
    groupBytes,
    4 * call.most,
  ) as [number, number, number, number, number];
  memory.floats(boxes, 4 * count).set(call.boxes);
  memory.floats(scores, count).set(call.scores);
  const labelWords = memory.words(labels, count);
  if (call.labels) labelWords.set(call.labels);
  else labelWords.fill(0);
  const found = memory.exports.nms(
    boxes,
    scores,
    labels,
    count,
    floorToFloat32(call.iouThreshold),
    groups,
    kept,
    call.most,
  );
  return memory.words(kept, found).slice();
}
