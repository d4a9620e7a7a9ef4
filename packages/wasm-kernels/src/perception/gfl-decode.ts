import { finiteNumber, integer, outOfRange, typedArray } from "../module/check.ts";
import { checkRows } from "./rows.ts";

/** Distances and grid for {@link PerceptionKernels.gflDecode}. */
export interface GflDecodeOptions {
  /** Logits `[n, 4 * bins]`, row-major: left, top, right, and bottom of each cell. */
  readonly distances: Float32Array;
  /** Cells to decode, as row indices in `distances` and positions in the grid. */
  readonly cells: Uint32Array;
  readonly bins: number;
  /** Tensor pixels per cell, in both directions. */
  readonly stride: number;
  /** Number of cells in a row of the grid. */
  readonly gridWidth: number;
}

/** Validated {@link GflDecodeOptions}. */
export type GflDecodeCall = GflDecodeOptions;

/**
 * Validates the options of {@link PerceptionKernels.gflDecode}. Modifies nothing.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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
