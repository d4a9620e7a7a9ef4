import { onnxWeights, withWeights } from "./onnx-weights.ts";

/**
 * How the weights of a "worse" model are off, at most; the good ones are around 0.06. Its boxes then agree
 * with the good model's to less than a quarter.
 */
const SPOILT_BY = 0.5;

/** A model trained a little longer differs as little as this, as a share of each weight. */
const RETRAINED_BY = 0.002;

/**
 * Another training of a model, as its changed weights: those of its largest layer. `random` is uniform in
 * [0,1).
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
