/** Options of {@link createRunningQuantile}. */
export interface RunningQuantileOptions {
  /** Share of values to call high, from 0 to 1. */
  readonly ratio: number;
  /** Values that each new one is compared with. */
  readonly window: number;
}

/** Before this many values nothing is high: there is nothing to compare with. */
const WARM_UP = 10;

/**
 * Calls about a share of a stream of values high: those above that quantile of the last ones. A fixed
 * threshold cannot hold a share, because scenes change.
 *
 * @throws {RangeError} on a ratio outside 0..1 or a window too short.
 */
export function createRunningQuantile({ ratio, window }: RunningQuantileOptions): (value: number) => boolean {
  if (!(ratio >= 0 && ratio <= 1))
    throw new RangeError(`read upload_ratio: expected a number from 0 to 1; got ${ratio}`);
  if (!Number.isInteger(window) || window < WARM_UP)
    throw new RangeError(`read window: expected a whole number from ${WARM_UP} up; got ${window}`);
  const past: number[] = [];

  return (value) => {
    const sorted = past.toSorted((a, b) => a - b);
    // The small step keeps 0.8 * 100 from becoming 81 by rounding.
    const rank = Math.ceil((1 - ratio) * sorted.length - 1e-9) - 1;
    const isHigh =
      ratio === 1 || (ratio > 0 && sorted.length >= WARM_UP && value > sorted[Math.max(0, rank)]!);
    past.push(value);
    if (past.length > window) past.shift();
    return isHigh;
  };
}
