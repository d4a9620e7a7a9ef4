import type { ModelUpdate, UpdateNorm, VectorKernels } from "@sedna-js/wasm-kernels";
import { dot } from "./dot.ts";

/** An update as a new float32 array. */
export interface PlainUpdate extends UpdateNorm {
  readonly values: Float32Array;
}

/** Reader of updates in any encoding. It holds kernel memory until it is disposed. */
export interface PlainUpdates {
  /**
   * Returns a copy of an update as float32, scaled down to `clipNorm` if its norm is larger. `l2Norm` is the
   * norm before scaling.
   * @throws {RangeError} If a number is not finite or the length differs.
   */
  read(update: ModelUpdate, clipNorm?: number): PlainUpdate;
  dispose(): void;
}

/** Creates a reader for rules that need each update's numbers. */
export function plainUpdates(kernels: VectorKernels, length: number): PlainUpdates {
  // The mean of one update is that update, decoded, checked and clipped; a float64 accumulator changes none
  // of its bits. Create the mean now, not on first use: kernel memory that grows during a call of `read`
  // would detach an update that is stored in it.
  const one = kernels.weightedMean({ length, accumulator: "f64" });
  return {
    read(update, clipNorm) {
      if (
        update.encoding === "f32" &&
        update.values instanceof Float32Array &&
        update.values.length === length
      )
        return readFloats(update.values, clipNorm);
      one.reset();
      const { l2Norm } = one.add(update, { weight: 1, ...(clipNorm === undefined ? {} : { clipNorm }) });
      return { values: one.result(), l2Norm };
    },
    dispose: () => one.dispose(),
  };
}

/** Float32 updates need no decoding: reading them directly costs a third. */
function readFloats(given: Float32Array, clipNorm = Infinity): PlainUpdate {
  const l2Norm = Math.sqrt(dot(given, given));
  if (!Number.isFinite(l2Norm))
    throw new RangeError(
      "add: expected every number of the update to be finite; got NaN or an infinity among them",
    );
  const values = given.slice();
  if (l2Norm > clipNorm) {
    const factor = clipNorm / l2Norm;
    for (let i = 0; i < values.length; i++) values[i]! *= factor;
  }
  return { values, l2Norm };
}
