import { agreement, type Tensor } from "@sedna-js/core";

/**
 * Returns the agreement of two results for one sample, in [0,1]: for detections the F1 of their boxes, for
 * class probabilities whether their top class is the same, for all others 1 - sum|a-b| / (sum|a| + sum|b|)
 * over their numbers; 0 if their shapes differ.
 */
export function resultAgreement(a: unknown, b: unknown): number {
  if (isRows(a) && isRows(b)) return agreement({ found: a, reference: b }).f1;
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const [one, other] = [a as unknown as ArrayLike<number>, b as unknown as ArrayLike<number>];
    return one.length === other.length && top(one) === top(other) ? 1 : 0;
  }
  const [one, other] = [leaves(a), leaves(b)];
  if (one.length !== other.length) return 0;
  let difference = 0;
  let size = 0;
  for (const [i, value] of one.entries()) {
    const against = other[i];
    if (typeof value === "number" && typeof against === "number") {
      // Skip equal infinities, such as those of a mask: they have no difference, and must not outweigh the
      // rest.
      if (value === against && !Number.isFinite(value)) continue;
      difference += Math.abs(value - against);
      size += Math.abs(value) + Math.abs(against);
    } else if (value !== against) {
      return 0;
    }
  }
  if (difference === 0) return 1;
  const agreed = 1 - difference / size;
  return Number.isNaN(agreed) ? 0 : agreed;
}

/** Returns whether a result contains a NaN at any depth. */
export function hasNaN(result: unknown): boolean {
  if (typeof result === "number") return Number.isNaN(result);
  if (result instanceof Float32Array || result instanceof Float64Array) return result.some(Number.isNaN);
  if (ArrayBuffer.isView(result) || typeof result !== "object" || result === null) return false;
  return Object.values(result).some(hasNaN);
}

/**
 * Returns whether a result consists of rows of at least xmin, ymin, xmax, ymax, score. An empty list means no
 * detections.
 */
function isRows(result: unknown): result is readonly (readonly number[])[] {
  return (
    Array.isArray(result) &&
    result.every(
      (row) => Array.isArray(row) && row.length >= 5 && row.every((value) => typeof value === "number"),
    )
  );
}

function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === "object" && value !== null && "dtype" in value && "shape" in value && "data" in value
  );
}

function top(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/**
 * Returns the values of nested lists, tensors, and objects in order; objects in the alphabetical order of
 * their keys.
 */
function leaves(value: unknown, into: unknown[] = []): readonly unknown[] {
  if (ArrayBuffer.isView(value) && "length" in value) {
    for (const one of value as unknown as Iterable<number | bigint>) into.push(Number(one));
  } else if (Array.isArray(value)) {
    for (const one of value) leaves(one, into);
  } else if (isTensor(value)) {
    // Add dtype and shape as one string: the numbers of a shape are not values that could agree in part.
    into.push(`${value.dtype} [${value.shape}]`);
    leaves(value.data, into);
  } else if (typeof value === "object" && value !== null) {
    for (const key of Object.keys(value).toSorted()) {
      into.push(key);
      leaves((value as Record<string, unknown>)[key], into);
    }
  } else {
    into.push(value);
  }
  return into;
}
