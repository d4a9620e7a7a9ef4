import { anyNumber, exactLength, integer, typedArray } from "../module/check.ts";

/** What {@link TrackingKernels.assign} takes. */
export interface AssignOptions {
  /** `[rows, columns]`, row-major. +Infinity forbids a pair; NaN and -Infinity are refused. */
  readonly cost: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** A pair whose cost is greater is never matched. Without it, as many pairs are matched as can be. */
  readonly maxCost?: number;
}

/** Who is matched with whom. */
export interface Assignment {
  /** `[rows]`: each row's column, or -1. */
  readonly columnOfRow: Int32Array;
  /** `[columns]`: each column's row, or -1. */
  readonly rowOfColumn: Int32Array;
  /** The sum of the matched costs, in f64 and in the order of the rows. */
  readonly cost: number;
}

/** {@link AssignOptions} that passed the checks. */
export interface AssignCall {
  readonly cost: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** What a row costs that is left alone; not +Infinity. A cost above it is never matched. */
  readonly limit: number;
}

const action = "assign";

/** Throws TypeError or RangeError; touches nothing. */
export function checkAssign(options: AssignOptions): AssignCall {
  const cost = typedArray({ action, name: "cost" }, { kind: "Float32Array", value: options.cost });
  const rows = integer({ action, name: "rows" }, { value: options.rows, least: 0 });
  const columns = integer({ action, name: "columns" }, { value: options.columns, least: 0 });
  exactLength({ action, name: "cost" }, { array: cost, length: rows * columns });
  const maxCost =
    options.maxCost === undefined ? Infinity : anyNumber({ action, name: "maxCost" }, options.maxCost);
  return { cost, rows, columns, limit: Math.min(maxCost, limitOfMostPairs(cost, Math.min(rows, columns))) };
}

/**
 * More than one pair more can cost, whatever others it displaces: at most `most + pairs * (most - least)`.
 * So with this limit, or a greater one, as many pairs are matched as can be. A small finite number, because
 * sums with it must not swallow the costs.
 */
function limitOfMostPairs(cost: Float32Array, pairs: number): number {
  let largest = 0;
  for (let i = 0; i < cost.length; i++) {
    const value = cost[i]!;
    if (!(value > -Infinity)) {
      throw new RangeError(`${action}: expected cost[${i}] to be a number above -Infinity, got ${value}`);
    }
    if (value < Infinity) largest = Math.max(largest, Math.abs(value));
  }
  return (2 * pairs + 2) * largest || 1;
}

/** Both directions of a matching, and what it costs. */
export function describeAssignment({ cost, columns }: AssignCall, columnOfRow: Int32Array): Assignment {
  const rowOfColumn = new Int32Array(columns).fill(-1);
  let sum = 0;
  columnOfRow.forEach((column, row) => {
    if (column < 0) return;
    rowOfColumn[column] = row;
    sum += cost[row * columns + column]!;
  });
  return { columnOfRow, rowOfColumn, cost: sum };
}
