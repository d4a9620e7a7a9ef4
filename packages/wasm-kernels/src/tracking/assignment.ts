import { anyNumber, exactLength, integer, typedArray } from "../module/check.ts";

/** Cost matrix and cost limit for {@link TrackingKernels.assign}. */
export interface AssignOptions {
  /** Costs `[rows, columns]`, row-major. `+Infinity` forbids a pair. NaN and `-Infinity` are rejected. */
  readonly cost: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** Maximum cost of a matched pair. Default: no limit, so that as many pairs as possible are matched. */
  readonly maxCost?: number;
}

/** A matching of rows and columns. */
export interface Assignment {
  /** Column matched with each row, or -1. Length `rows`. */
  readonly columnOfRow: Int32Array;
  /** Row matched with each column, or -1. Length `columns`. */
  readonly rowOfColumn: Int32Array;
  /** Sum of the matched costs, accumulated in f64 in row order. */
  readonly cost: number;
}

/** Validated {@link AssignOptions}. */
export interface AssignCall {
  readonly cost: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** Cost of leaving a row unmatched; never `+Infinity`. A pair with a greater cost is never matched. */
  readonly limit: number;
}

const action = "assign";

/**
 * Validates the options of {@link TrackingKernels.assign}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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
 * Returns a limit that forces the maximum number of pairs to be matched.
 *
 * Matching one more pair costs at most `most + pairs * (most - least)`, whatever other pairs it displaces.
 * This limit, or any greater limit, is above that cost. The limit is a small finite number because the costs
 * would be lost to rounding in sums with a large number.
 */
function limitOfMostPairs(cost: Float32Array, pairs: number): number {
  let largest = 0;
  for (let i = 0; i < cost.length; i++) {
    const value = cost[i]!;
    if (!(value > -Infinity)) {
      throw new RangeError(`${action}: expected cost[${i}] to be a number above -Infinity; got ${value}`);
    }
    if (value < Infinity) largest = Math.max(largest, Math.abs(value));
  }
  return (2 * pairs + 2) * largest || 1;
}

/** Returns both directions of a matching and its total cost. */
export function toAssignment({ cost, columns }: AssignCall, columnOfRow: Int32Array): Assignment {
  const rowOfColumn = new Int32Array(columns).fill(-1);
  let sum = 0;
  columnOfRow.forEach((column, row) => {
    if (column < 0) return;
    rowOfColumn[column] = row;
    sum += cost[row * columns + column]!;
  });
  return { columnOfRow, rowOfColumn, cost: sum };
}
