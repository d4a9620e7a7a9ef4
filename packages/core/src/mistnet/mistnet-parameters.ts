import { describeValue } from "../errors.ts";

/** Sedna's parameters of its algorithm `MistNet`. */
export interface MistnetParameters {
  readonly type: "mistnet";
  readonly cut_layer: number | string;
  readonly epsilon: number;
}

/**
 * Sedna's `MistNet(cut_layer, epsilon=100)`: what a job writes, where digits may be text. Sedna sets an
 * epsilon that is text to the number of the cut layer (its issue 284); here it is what was written.
 * @throws {TypeError} on a cut layer that is neither a whole number nor a name, or an epsilon that is no
 * number.
 * @throws {RangeError} on an epsilon that is not above 0: none would mean no answer at all.
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
