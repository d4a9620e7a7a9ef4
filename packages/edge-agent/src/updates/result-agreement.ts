import { agreement, type Tensor } from "@sedna-js/core";

/**
 * How much two results of one sample agree, in [0,1]: detections by the F1 of their boxes, class
 * probabilities by their top class, all else by 1 - sum|a-b| / (sum|a| + sum|b|) over its numbers; 0 where
 * their shapes differ.
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
      // Equal infinities, as a mask leaves them, differ by nothing and outweigh nothing.
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

/** True where a NaN is anywhere in a result. */
export function hasNaN(result: unknown): boolean {
  if (typeof result === "number") return Number.isNaN(result);
  if (result instanceof Float32Array || result instanceof Float64Array) return result.some(Number.isNaN);
  if (ArrayBuffer.isView(result) || typeof result !== "object" || result === null) return false;
  return Object.values(result).some(hasNaN);
}

/** Rows of at least xmin, ymin, xmax, ymax, score; an empty list is no detection at all. */
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
 * The values of nested lists, tensors and objects, in order; objects by their keys in the order of the
 * alphabet.
 */
function leaves(value: unknown, into: unknown[] = []): readonly unknown[] {
  if (ArrayBuffer.isView(value) && "length" in value) {
    for (const one of value as unknown as Iterable<number | bigint>) into.push(Number(one));
  } else if (Array.isArray(value)) {
    for (const one of value) leaves(one, into);
  } else if (isTensor(value)) {
    // As one word: a shape's numbers are no values that could agree by half.
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
