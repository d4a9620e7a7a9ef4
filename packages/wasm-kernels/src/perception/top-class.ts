import { anyNumber } from "../module/check.ts";
import { checkRows } from "./rows.ts";

/** What {@link PerceptionKernels.topClass} takes. */
export interface TopClassOptions {
  /** `[n, classes]`, row-major. */
  readonly scores: Float32Array;
  readonly classes: number;
  /** A cell is kept when its best score is `>=` this; compared as f64, exactly. */
  readonly threshold: number;
}

/** The kept cells in rising order, one element each. */
export interface TopClass {
  /** Row of the cell in `scores`. */
  readonly index: Uint32Array;
  /** Its best class; the first of equal ones. */
  readonly label: Uint32Array;
  readonly score: Float32Array;
}

/** {@link TopClassOptions} that passed the checks. */
export interface TopClassCall extends TopClassOptions {
  readonly cells: number;
}

/** Throws TypeError or RangeError; touches nothing. */
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
