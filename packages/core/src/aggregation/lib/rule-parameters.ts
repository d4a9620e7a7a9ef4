import type { Tensor } from "../../tensor.ts";
import {
  type NumberLimits,
  numberParameter,
  optionalNumber,
  programParameter,
} from "../../check/parameters.ts";

/**
 * The norms that a rule can clip to: above 0 and at most 1e30, so that sums of thousands of clipped updates
 * stay within float32.
 */
export const clipNormLimits: NumberLimits = { above: 0, max: 1e30 };

/** For `aggregate` only: the model before the first call. */
export const initial = programParameter<readonly Tensor[]>();

/** The parameters of every weighted mean. */
export const meanParameters = {
  /** Euclidean norm that larger updates are scaled down to. */
  clipNorm: optionalNumber({
    ...clipNormLimits,
    absent: "no clipping",
  }),
  initial,
};

/** Declares the learning rate of a server optimizer. */
export const serverLearningRate = (fallback: number) =>
  numberParameter({ fallback, above: 0, below: Infinity });

/** Declares the decay rate of a moving average. */
export const decayRate = (fallback: number) => numberParameter({ fallback, min: 0, below: 1 });
