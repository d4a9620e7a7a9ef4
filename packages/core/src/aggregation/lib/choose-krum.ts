import type { Floats } from "../server-optimizer.ts";

/** Number of floats, over all updates, that are compared at a time: they fit a cache of 256 KiB. */
const FLOATS_AT_A_TIME = 2 ** 15;

/**
 * Returns the `chosen` updates with the smallest sum of squared distances to their `n - hostile - 2` nearest
 * neighbors, best first. Breaks ties by comparing the updates' numbers, so that the order of arrival does not
 * matter. Source: Blanchard et al., "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
 * 2017.
 */
export function chooseKrum<Update extends Floats>(
  updates: readonly Update[],
  { hostile, chosen }: { readonly hostile: number; readonly chosen: number },
): readonly Update[] {
  const distances = squaredDistances(updates);
  const neighbors = updates.length - hostile - 2;
  const scored = updates.map((update, i) => {
    const nearest = distances[i]!.filter((_, j) => j !== i)
      .toSorted()
      .subarray(0, neighbors);
    return { update, score: nearest.reduce((sum, distance) => sum + distance, 0) };
  });
  return scored
    .toSorted((a, b) => a.score - b.score || compare(a.update, b.update))
    .slice(0, chosen)
    .map(({ update }) => update);
}

/**
 * Returns the matrix of squared distances between updates, in float64. Computes it a block of columns at a
 * time, so that memory is read once.
 */
function squaredDistances(updates: readonly Floats[]): readonly Float64Array[] {
  const { length } = updates[0]!;
  const rows = updates.map(() => new Float64Array(updates.length));
  const block = Math.max(64, Math.floor(FLOATS_AT_A_TIME / updates.length / 4) * 4);
  for (let start = 0; start < length; start += block) {
    const parts = updates.map((update) => update.subarray(start, start + block));
    for (let i = 1; i < parts.length; i++)
      for (let j = 0; j < i; j++) rows[i]![j]! += squaredDistance(parts[i]!, parts[j]!);
  }
  for (let i = 1; i < rows.length; i++) for (let j = 0; j < i; j++) rows[j]![i] = rows[i]![j]!;
  return rows;
}

function squaredDistance(a: Floats, b: Floats): number {
  // Use four independent sums: each addition to a single sum would wait for the previous one.
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const whole = a.length - (a.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const d0 = a[i]! - b[i]!;
    const d1 = a[i + 1]! - b[i + 1]!;
    const d2 = a[i + 2]! - b[i + 2]!;
    const d3 = a[i + 3]! - b[i + 3]!;
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (let i = whole; i < a.length; i++) s0 += (a[i]! - b[i]!) ** 2;
  return s0 + s1 + (s2 + s3);
}

function compare(a: Floats, b: Floats): number {
  const at = (a as Float32Array).findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}
