import type { ModelUpdate, UpdateNorm, VectorKernels } from "@sedna-js/wasm-kernels";
import { dot } from "./dot.ts";

/** An update as float32 numbers of its own. */
export interface PlainUpdate extends UpdateNorm {
  readonly values: Float32Array;
}

/** Reads updates of any encoding; holds memory of the kernels until it is disposed. */
export interface PlainUpdates {
  /**
   * A copy of an update as float32, scaled down to `clipNorm` where it is longer. `l2Norm` is its length
   * before that.
   * @throws {RangeError} on numbers that are not finite or another length.
   */
  read(update: ModelUpdate, clipNorm?: number): PlainUpdate;
  dispose(): void;
}

/** A reader for rules that must see each update's numbers. */
export function plainUpdates(kernels: VectorKernels, length: number): PlainUpdates {
  // The mean of one update is that update, decoded, checked and clipped; a float64 sum changes none of its
  // bits. It is made now, not when it is first needed: memory that grows during a call of read would cut off
  // an update that lies in it.
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

/** What needs no decoding is read at a third of the cost. */
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
