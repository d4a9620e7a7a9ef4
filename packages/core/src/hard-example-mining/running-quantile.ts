/** Options of {@link createRunningQuantile}. */
export interface RunningQuantileOptions {
  /** Share of values to mark as high, from 0 to 1. */
  readonly ratio: number;
  /** Number of previous values that each new value is compared with; at least {@link WARM_UP}. */
  readonly window: number;
}

/** Number of values before any value can be high, because there are too few to compare with. */
export const WARM_UP = 10;

/**
 * Creates a function that marks about `ratio` of a stream of values as high: the values above that quantile
 * of the previous ones. A fixed threshold cannot hold a share, because scenes change.
 */
export function createRunningQuantile({ ratio, window }: RunningQuantileOptions): (value: number) => boolean {
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
