import type { KernelMemory, ModuleExports } from "../../module/kernel-memory.ts";

/**
 * Exports of the module `tracking`, written by hand: see `rust/src/abi/tracking.rs`. Every address is a byte
 * offset in `memory`.
 */
export interface TrackingExports extends ModuleExports {
  box_iou(boxes: number, rows: number, others: number, columns: number, out: number): void;
  assign(
    cost: number,
    rows: number,
    columns: number,
    limit: number,
    prices: number,
    work: number,
    columnOfRow: number,
  ): void;
  cell_luma(source: number, width: number, rows: number, cell: number, columns: number, sums: number): void;
}

/** Memory of an instance of `tracking`. */
export type TrackingMemory = KernelMemory<TrackingExports>;
