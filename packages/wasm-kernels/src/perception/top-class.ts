import { anyNumber } from "../module/check.ts";
import { checkRows } from "./rows.ts";

/** Scores and threshold for {@link PerceptionKernels.topClass}. */
export interface TopClassOptions {
  /** Scores `[n, classes]`, row-major. */
  readonly scores: Float32Array;
  readonly classes: number;
  /** A cell is kept if its best score is `>=` this threshold. The comparison is exact in f64. */
  readonly threshold: number;
}

/** Kept cells in ascending order, one element per cell. */
export interface TopClass {
  /** Row of the cell in `scores`. */
  readonly index: Uint32Array;
  /** Best class of the cell; the first of equal classes. */
  readonly label: Uint32Array;
  readonly score: Float32Array;
}

/** Validated {@link TopClassOptions}. */
export interface TopClassCall extends TopClassOptions {
  readonly cells: number;
}

/**
 * Validates the options of {@link PerceptionKernels.topClass}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
export function checkTopClass(options: TopClassOptions): TopClassCall {
  const action = "topClass";
  const { values, columns, count } = checkRows(action, {
    name: "scores",
    values: options.scores,
    columnsName: "classes",
    columns: options.classes,
  });
  return {
    scores: values,
    classes: columns,
    cells: count,
    threshold: anyNumber({ action, name: "threshold" }, options.threshold),
  };
}
