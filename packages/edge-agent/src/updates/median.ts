/** The median of values, the lower of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  return atShare(values, 0.5);
}

/** The value that a quarter of the values do not exceed; NaN of none. */
export function lowerQuartile(values: readonly number[]): number {
  return atShare(values, 0.25);
}

function atShare(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)] ?? NaN;
}
