import type { ModelUpdate, UpdateNorm, VectorKernels } from "@sedna-js/wasm-kernels";

/** An update as float32 numbers of its own. */
export interface PlainUpdate extends UpdateNorm {
  readonly values: Float32Array;
}

/** Reads updates of any encoding; holds memory of the kernels until it is disposed. */
export interface PlainUpdates {
  /**
   * A copy of an update as float32, scaled down to `maxNorm` where it is longer. `l2Norm` is its length before that.
   * @throws {RangeError} on numbers that are not finite or another length.
   */
  read(update: ModelUpdate, maxNorm?: number): PlainUpdate;
  dispose(): void;
}

/** A reader for rules that must see each update's numbers. */
export function plainUpdates(kernels: VectorKernels, length: number): PlainUpdates {
  // The mean of one update is that update, decoded, checked and clipped; a float64 sum changes none of its bits.
  const one = kernels.weightedMean({ length, accumulator: "f64" });
  return {
    read(update, maxNorm) {
      one.reset();
      const { l2Norm } = one.add(update, { weight: 1, ...(maxNorm === undefined ? {} : { maxNorm }) });
      return { values: one.result(), l2Norm };
    },
    dispose: () => one.dispose(),
  };
}
