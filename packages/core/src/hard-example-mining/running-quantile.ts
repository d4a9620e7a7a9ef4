/** Options of {@link createRunningQuantile}. */
export interface RunningQuantileOptions {
  /** Share of values to mark as high, from 0 to 1. */
  readonly ratio: number;
  /** Number of previous values that each new value is compared with. */
  readonly window: number;
}

/** Number of values before any value can be high, because there are too few to compare with. */
const WARM_UP = 10;

/**
 * Creates a function that marks about `ratio` of a stream of values as high: the values above that quantile
 * of the previous ones. A fixed threshold cannot hold a share, because scenes change.
 *
 * @throws {RangeError} If `ratio` is outside 0..1 or `window` is too short.
 */
export function createRunningQuantile({ ratio, window }: RunningQuantileOptions): (value: number) => boolean {
  if (!(ratio >= 0 && ratio <= 1))
    throw new RangeError(`read upload_ratio: expected a number from 0 to 1; got ${ratio}`);
  if (!Number.isInteger(window) || window < WARM_UP)
    throw new RangeError(`read window: expected a whole number from ${WARM_UP} up; got ${window}`);
  const past: number[] = [];

  return (value) => {
    const sorted = past.toSorted((a, b) => a - b);
    // Subtract a small number so that rounding does not turn 0.8 * 100 into 81.
    const rank = Math.ceil((1 - ratio) * sorted.length - 1e-9) - 1;
    const isHigh =
      ratio === 1 || (ratio > 0 && sorted.length >= WARM_UP && value > sorted[Math.max(0, rank)]!);
    past.push(value);
    if (past.length > window) past.shift();
    return isHigh;
  };
}
