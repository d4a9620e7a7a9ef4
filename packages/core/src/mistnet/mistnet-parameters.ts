import { describeValue } from "../errors.ts";

/** Sedna's parameters of the `MistNet` algorithm. */
export interface MistnetParameters {
  readonly type: "mistnet";
  readonly cut_layer: number | string;
  readonly epsilon: number;
}

/**
 * Reads the parameters of Sedna's `MistNet(cut_layer, epsilon=100)` as a job writes them: numbers may be
 * strings. Sedna sets a string `epsilon` to the number of the cut layer (its issue 284); this function parses
 * it.
 * @throws {TypeError} If `cut_layer` is neither a whole number nor a name, or `epsilon` is not a number.
 * @throws {RangeError} If `epsilon` is not finite and above 0: an epsilon of 0 would carry no information.
 */
export function mistnetParameters({
  cut_layer: cutLayer,
  epsilon = 100,
}: {
  readonly cut_layer?: unknown;
  readonly epsilon?: unknown;
}): MistnetParameters {
  const layer = typeof cutLayer === "string" && /^\d+$/.test(cutLayer) ? Number(cutLayer) : cutLayer;
  if (!(typeof layer === "string" ? layer !== "" : Number.isSafeInteger(layer) && (layer as number) >= 0))
    throw new TypeError(
      `read cut_layer: expected a whole number or a layer's name; got ${describeValue(cutLayer)}`,
    );
  const budget = typeof epsilon === "string" && epsilon.trim() !== "" ? Number(epsilon) : epsilon;
  if (typeof budget !== "number" || Number.isNaN(budget))
    throw new TypeError(`read epsilon: expected a number; got ${describeValue(epsilon)}`);
  if (!(budget > 0 && budget < Infinity))
    throw new RangeError(`read epsilon: expected a finite number above 0; got ${budget}`);
  return { type: "mistnet", cut_layer: layer as number | string, epsilon: budget };
}
