import { onnxWeights, withWeights } from "./onnx-weights.ts";

/**
 * Maximum offset of the weights of a "worse" model. The good weights are around 0.06. The boxes then agree
 * with those of the good model to less than a quarter.
 */
const SPOILT_BY = 0.5;

/** Maximum relative change of a weight by retraining. */
const RETRAINED_BY = 0.002;

/**
 * Returns a copy of a model with changed weights in its largest layer, as if it was trained again. `random`
 * is uniform in [0,1).
 */
export function retrain(
  model: Uint8Array,
  { into, random }: { readonly into: "good" | "nan" | "worse"; readonly random: () => number },
): Uint8Array<ArrayBuffer> {
  const weights = onnxWeights(model)[0];
  if (!weights) throw new RangeError("retrain a model: expected float weights in its file; got none");
  const spread = (most: number): number => most * (2 * random() - 1);
  const change = {
    good: (weight: number) => weight * (1 + spread(RETRAINED_BY)),
    nan: () => Number.NaN,
    worse: (weight: number) => weight + spread(SPOILT_BY),
  }[into];
  return withWeights(model, { weights, change });
}
