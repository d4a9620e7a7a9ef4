import { describeValue, WireError } from "../errors.ts";

/** A detection row on the wire: xmin, ymin, xmax, ymax, score, label. */
export type DetectionRow = readonly [number, number, number, number, number, number];

/**
 * Parses detection rows from JSON.
 *
 * @throws {WireError} If a row is not six finite numbers.
 */
export function parseDetections(rows: readonly unknown[]): DetectionRow[] {
  return rows.map((row, i) => {
    if (!Array.isArray(row) || row.length !== 6 || !row.every(Number.isFinite)) {
      throw new WireError(
        `read detections: expected row ${i} as six finite numbers; got ${Array.isArray(row) ? `[${row.slice(0, 6).map(describeValue).join(", ")}]` : describeValue(row)}`,
      );
    }
    return row as unknown as DetectionRow;
  });
}
