import type { AssignCall } from "../assignment.ts";

const UNMATCHED = -1;

/** State of a column; see `rust/src/assignment.rs`, which explains the algorithm. */
interface Column {
  price: number;
  distance: number;
  from: number;
  row: number;
  visited: boolean;
}

/** End of the path of a row: a free column, or a row that is left unmatched. */
interface End {
  readonly length: number;
  readonly column?: number;
  readonly alone?: number;
}

/**
 * Reference implementation of `assign`. It performs the same sums and comparisons in the same order, so that
 * it resolves equal costs in the same way.
 */
export function assign(call: AssignCall): Int32Array {
  const prices = new Float64Array(call.rows);
  const columns = Array.from({ length: call.columns }, (): Column => ({
    price: 0,
    distance: 0,
    from: 0,
    row: UNMATCHED,
    visited: false,
  }));
  const columnOfRow = new Int32Array(call.rows).fill(UNMATCHED);
  for (let start = 0; start < call.rows; start++) {
    const end = shortestPath(call, { start, prices, columns });
    prices[start]! += end.length;
    for (const column of columns.filter(({ visited }) => visited)) {
      const rest = end.length - column.distance;
      prices[column.row]! += rest;
      column.price -= rest;
    }
    let at = end.column ?? columnOfRow[end.alone!]!;
    if (end.alone !== undefined) columnOfRow[end.alone] = UNMATCHED;
    while (at !== UNMATCHED) {
      const row = columns[at]!.from;
      const left = columnOfRow[row]!;
      columns[at]!.row = row;
      columnOfRow[row] = at;
      at = left;
    }
  }
  return columnOfRow;
}

/** Options of {@link shortestPath}. */
interface ShortestPathOptions {
  start: number;
  prices: Float64Array;
  columns: Column[];
}

function shortestPath(call: AssignCall, { start, prices, columns }: ShortestPathOptions): End {
  for (const column of columns) {
    column.distance = Infinity;
    column.visited = false;
  }
  let alone: End = { length: Infinity, alone: start };
  let row = start;
  let travelled = 0;
  for (;;) {
    const here = travelled - prices[row]!;
    if (here + call.limit < alone.length) alone = { length: here + call.limit, alone: row };
    let nearest: Column | undefined;
    for (const [j, column] of columns.entries()) {
      if (column.visited) continue;
      const cost = call.cost[row * call.columns + j]!;
      const distance = here + cost - column.price;
      if (cost <= call.limit && distance < column.distance) {
        column.distance = distance;
        column.from = row;
      }
      if (isNearer(column, nearest)) nearest = column;
    }
    if (nearest === undefined || !(nearest.distance <= alone.length)) return alone;
    if (nearest.row === UNMATCHED) return { length: nearest.distance, column: columns.indexOf(nearest) };
    nearest.visited = true;
    travelled = nearest.distance;
    row = nearest.row;
  }
}

/**
 * Returns whether `column` is nearer. Among equally near columns, the first free column wins, otherwise the
 * first column.
 */
function isNearer(column: Column, nearest: Column | undefined): boolean {
  if (nearest === undefined) return column.distance < Infinity;
  if (column.distance !== nearest.distance) return column.distance < nearest.distance;
  return column.row === UNMATCHED && nearest.row !== UNMATCHED;
}
