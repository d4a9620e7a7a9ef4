import type { AssignCall } from "../assignment.ts";
import type { BoxIouCall } from "../box-iou.ts";
import type { CellLumaCall } from "../frame-difference.ts";
import type { TrackingMemory } from "./tracking-exports.ts";
import { rowWindows } from "../../module/windows.ts";

/** `OVERRUN` in `rust/src/box_iou.rs`: three floats. */
const IOU_OVERRUN_BYTES = 12;

/** Runs `boxIou` in the module. There must be at least one pair. */
export function boxIou(memory: TrackingMemory, call: BoxIouCall): void {
  const { boxes, others, out } = call;
  const columns = others.length / 4;
  const windows = [...rowWindows({ rows: boxes.length / 4, columns })];
  const most = windows[0]!.last;
  const [given, compared, results] = memory.scratch(
    16 * most,
    64 * Math.ceil(columns / 4),
    4 * most * columns + IOU_OVERRUN_BYTES,
  ) as [number, number, number];
  memory.floats(compared, others.length).set(others);
  for (const { first, last } of windows) {
    const rows = last - first;
    memory.floats(given, 4 * rows).set(boxes.subarray(4 * first, 4 * last));
    memory.exports.box_iou(given, rows, compared, columns, results);
    out.set(memory.floats(results, rows * columns), first * columns);
  }
}

/** Bytes that the module's `assign` needs for each column: `Column` in `rust/src/assignment.rs`. */
const COLUMN_BYTES = 32;

/** Runs `assign` in the module. There must be at least one pair. */
export function assign(memory: TrackingMemory, call: AssignCall): Int32Array {
  const { cost, rows, columns, limit } = call;
  const [costs, prices, work, result] = memory.scratch(
    4 * cost.length,
    8 * rows,
    COLUMN_BYTES * columns,
    4 * rows,
  ) as [number, number, number, number];
  memory.floats(costs, cost.length).set(cost);
  memory.exports.assign(costs, rows, columns, limit, prices, work, result);
  // An unmatched row is 2^32 - 1 in the module, which is -1 as an i32.
  return Int32Array.from(memory.words(result, rows));
}

/** `OVERRUN` in `rust/src/frame_difference.rs`: three pixels. */
const LUMA_OVERRUN_BYTES = 12;

/**
 * Computes the sums of the motion gate in the module, one row of cells per call, so that this part of the
 * image stays in the processor's cache.
 */
export function cellLuma(memory: TrackingMemory, { data, width, height, cell, sums }: CellLumaCall): void {
  const across = Math.ceil(width / cell);
  const rowBytes = 4 * width;
  const bandBytes = rowBytes * Math.min(cell, height);
  const [source, columns, results] = memory.scratch(
    bandBytes + LUMA_OVERRUN_BYTES,
    16 * Math.ceil(width / 4),
    4 * across,
  ) as [number, number, number];
  for (let top = 0; top < height; top += cell) {
    const rows = Math.min(cell, height - top);
    memory.bytes(source, rows * rowBytes).set(data.subarray(top * rowBytes, (top + rows) * rowBytes));
    memory.exports.cell_luma(source, width, rows, cell, columns, results);
    sums.set(memory.words(results, across), (top / cell) * across);
  }
}
