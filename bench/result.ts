/** A measured figure. `ratio` is this value over that of `peer`. */
export interface Figure {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly ratio?: number;
}

/** Returns a figure that could not be measured: its value is NaN, and its unit is the reason. */
export function missing({
  name,
  metric,
  reason,
}: {
  readonly name: string;
  readonly metric: string;
  readonly reason: string;
}): Figure {
  return { name, metric, value: NaN, unit: reason };
}

/** A goal of the project. If `value` is `null`, `reason` says why it was not measured. */
export interface Goal {
  readonly goal: string;
  readonly value: number | null;
  readonly limit: number;
  readonly better: "lower" | "higher";
  readonly holds: boolean;
  readonly reason?: string;
}

/** Compares a value with its limit. */
export function goal(
  name: string,
  value: number | null,
  {
    limit,
    better,
    reason,
  }: { readonly limit: number; readonly better: Goal["better"]; readonly reason?: string },
): Goal {
  const holds = value !== null && (better === "lower" ? value <= limit : value >= limit);
  const rounded = value === null ? null : Number(value.toPrecision(4));
  return { goal: name, value: rounded, limit, better, holds, ...(reason === undefined ? {} : { reason }) };
}

/** Returns the p-quantile of values, by the nearest rank. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))]!;
}

/** Returns the median of values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
