/// <reference lib="esnext.disposable" preserve="true" />
import type { AssignOptions, Assignment } from "./assignment.ts";
import type { BackendName } from "./backend.ts";
import type { BoxIouOptions } from "./box-iou.ts";
import type { FrameDifference, FrameDifferenceSpec } from "./frame-difference.ts";

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
