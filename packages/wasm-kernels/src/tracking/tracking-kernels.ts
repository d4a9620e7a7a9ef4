/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { disposableBackend } from "../module/lifetime.ts";
import {
  type AssignCall,
  type Assignment,
  type AssignOptions,
  checkAssign,
  toAssignment,
} from "./assignment.ts";
import { type BoxIouCall, type BoxIouOptions, checkBoxIou } from "./box-iou.ts";
import {
  type CellLumaCall,
  checkFrameDifference,
  createFrameDifference,
  type FrameDifference,
  type FrameDifferenceSpec,
} from "./frame-difference.ts";

/**
 * Kernels for tracking: a motion gate before the model, and box comparison and matching after it. Results are
 * the caller's own arrays.
 *
 * Invalid input throws before anything is modified: a TypeError for a value of the wrong type, a RangeError
 * for a value out of range. After `dispose` every call throws an Error. All backends return the same bits.
 */
export interface TrackingKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * Returns the intersection over union `[n, m]` of every pair, computed in f32. The value is 0 if a box is
   * empty, is inverted, contains NaN, or has an area that is not finite.
   */
  boxIou(options: BoxIouOptions): Float32Array;

  /**
   * Solves rectangular linear assignment. Without `maxCost`, the result has the maximum number of pairs that
   * are not forbidden, with the minimum sum of costs: `min(rows, columns)` pairs if none is forbidden. With
   * `maxCost`, the result minimizes the sum of the matched costs plus `maxCost / 2` for each unmatched row
   * and column, among the pairs that cost at most `maxCost`, like `lap.lapjv(extend_cost=True,
   * cost_limit=maxCost)` and therefore like ByteTrack. Sums are in f64. Among several such solutions, all
   * backends return the same one. O(n^3). Source: Jonker and Volgenant, "A shortest augmenting path
   * algorithm", 1987.
   */
  assign(options: AssignOptions): Assignment;

  /**
   * Creates a motion gate for images of one size, with its own memory. The gate measures the change since the
   * previous image.
   */
  frameDifference(spec: FrameDifferenceSpec): FrameDifference;

  /** Releases all memory. A second call has no effect. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Backend of the tracking kernels. Arguments are already validated. */
interface TrackingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  boxIou(call: BoxIouCall): void;
  /** Returns the column of each row, or -1. Called only if there is at least one pair. */
  assign(call: AssignCall): Int32Array;
  cellLuma(call: CellLumaCall): void;
}

/**
 * Creates the public tracking kernels over a backend. Arguments are validated here, once for all backends.
 */
export function createTrackingKernels(backend: TrackingBackend): TrackingKernels {
  const { opened, dispose } = disposableBackend(backend);
  return {
    backend: backend.name,
    boxIou(options) {
      const call = checkBoxIou(options);
      const { boxIou } = opened("boxIou");
      if (call.out.length > 0) boxIou(call);
      return call.out;
    },
    assign(options) {
      const call = checkAssign(options);
      const { assign } = opened("assign");
      return toAssignment(call, call.cost.length > 0 ? assign(call) : new Int32Array(call.rows).fill(-1));
    },
    frameDifference(spec) {
      const checked = checkFrameDifference(spec);
      opened("frameDifference");
      return createFrameDifference(checked, (call) => opened("compare").cellLuma(call));
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
