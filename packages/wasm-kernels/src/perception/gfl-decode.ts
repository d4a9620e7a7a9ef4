import { finiteNumber, integer, outOfRange, typedArray } from "../module/check.ts";
import { checkRows } from "./rows.ts";

/** What {@link PerceptionKernels.gflDecode} takes. */
export interface GflDecodeOptions {
  /** `[n, 4 * bins]` logits, row-major: for each cell left, top, right, bottom. */
  readonly distances: Float32Array;
  /** The cells to decode: rows of `distances`, and places in the grid. */
  readonly cells: Uint32Array;
  readonly bins: number;
  /** Tensor pixels a cell, in both directions. */
  readonly stride: number;
  /** Cells a row of the grid. */
  readonly gridWidth: number;
}

/** {@link GflDecodeOptions} that passed the checks. */
export type GflDecodeCall = GflDecodeOptions;

/** Throws TypeError or RangeError; touches nothing. */
export function checkGflDecode(options: GflDecodeOptions): GflDecodeCall {
  const action = "gflDecode";
  const { values, count } = checkRows(action, {
    name: "distances",
    values: options.distances,
    columnsName: "bins",
    columns: options.bins,
    factor: 4,
  });
  const cells = typedArray({ action, name: "cells" }, { kind: "Uint32Array", value: options.cells });
  const wrong = cells.findIndex((cell) => cell >= count);
  if (wrong >= 0)
    outOfRange(
      { action, name: `cells[${wrong}]` },
      { expected: `to be below ${count} (rows of distances)`, got: cells[wrong] },
    );
  const stride = finiteNumber({ action, name: "stride" }, options.stride);
  if (stride <= 0) outOfRange({ action, name: "stride" }, { expected: "to be positive", got: stride });
  const gridWidth = integer({ action, name: "gridWidth" }, { value: options.gridWidth, least: 1 });
  return { distances: values, cells, bins: options.bins, stride, gridWidth };
}
