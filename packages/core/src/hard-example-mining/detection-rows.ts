import { describeValue } from "../errors.ts";
import { SCORE, type DetectionRow } from "./miner.ts";

/**
 * Returns the rows of a detection result, or none if it cannot be judged, as in Sedna: a falsy input, or an
 * input with a row too short to hold a score, is not hard for any miner of boxes.
 *
 * @throws {TypeError} If the input is not a list of rows.
 */
export function detectionRows(inferResult: unknown): readonly DetectionRow[] {
  if (!inferResult) return [];
  if (!Array.isArray(inferResult)) {
    if (
      typeof inferResult === "string" ||
      (typeof inferResult === "object" && Object.keys(inferResult).length === 0)
    )
      return [];
    throw new TypeError(
      `mine a detection result: expected a list of rows; got ${describeValue(inferResult)}`,
    );
  }
  for (const row of inferResult) {
    const isRow = Array.isArray(row) || ArrayBuffer.isView(row) || typeof row === "string";
    if (!isRow)
      throw new TypeError(`mine a detection result: expected rows of numbers; got ${describeValue(row)}`);
    if ((row as ArrayLike<unknown>).length <= SCORE) return [];
  }
  return inferResult as readonly DetectionRow[];
}
