/// <reference lib="esnext.disposable" preserve="true" />
import type { BackendName } from "../module/backend.ts";
import { openBackend } from "../module/lifetime.ts";
import {
  type AssignCall,
  type Assignment,
  type AssignOptions,
  checkAssign,
  describeAssignment,
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
 * The kernels that follow what moves: a motion gate before the model, and what a tracker needs behind it.
 * Results are the caller's own arrays.
 *
 * Bad input throws before anything is touched: a TypeError for a wrong kind of value, a RangeError for
 * a wrong value. After `dispose` every call throws an Error. All backends give the same bits.
 */
export interface TrackingKernels {
  readonly backend: Exclude<BackendName, "wasm-relaxed">;

  /**
   * `[n, m]`: intersection over union of every pair, computed in f32; 0 where a box is empty, inverted,
   * has a NaN, or an area that isn't finite.
   */
  boxIou(options: BoxIouOptions): Float32Array;

  /**
   * Rectangular linear assignment. Without `maxCost` the most pairs that aren't forbidden, of least sum: that is
   * `min(rows, columns)` pairs where none is forbidden. With `maxCost`, the least sum of the matched costs and of
   * `maxCost / 2` for each row and each column left alone, among the pairs that cost at most `maxCost`; as
   * `lap.lapjv(extend_cost=True, cost_limit=maxCost)` does, and so ByteTrack. The sums are f64's. Of several
   * such solutions all backends give the same one. O(n^3).
   * Source: Jonker and Volgenant, "A shortest augmenting path algorithm", 1987.
   */
  assign(options: AssignOptions): Assignment;

  /** A motion gate for pictures of one size, with memory of its own: how much changed since the picture before. */
  frameDifference(spec: FrameDifferenceSpec): FrameDifference;

  /** Lets go of all memory. A second call does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** One way to compute the tracking kernels. Arguments have been checked. */
interface TrackingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  boxIou(call: BoxIouCall): void;
  /** Each row's column, or -1; of at least one pair. */
  assign(call: AssignCall): Int32Array;
  cellLuma(call: CellLumaCall): void;
}

/** The public tracking kernels over a backend: every check is made here, once for all backends. */
export function createTrackingKernels(backend: TrackingBackend): TrackingKernels {
  const { opened, dispose } = openBackend(backend);
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
      return describeAssignment(
        call,
        call.cost.length > 0 ? assign(call) : new Int32Array(call.rows).fill(-1),
      );
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
