import type { SecureSettings } from "../wire/secure-aggregation.ts";
import type { RingVector } from "./keystream.ts";

// Masks hide numbers of a finite ring only, so changes become whole numbers modulo 2^32: steps of the range, times the
// client's weight. The last word of a vector is the weight itself, so that the sum tells what to divide by, and nobody's.

/** A sum, and what it is of. */
export interface SecureMean {
  /** The weighted mean of the changes. */
  readonly mean: Float32Array;
  readonly totalWeight: number;
}

const RING = 2 ** 32;

/** The most levels, at most `wanted`, with which a sum of so many clients of such weights cannot overflow. */
export function levelsFor({
  clients,
  maxWeight,
  wanted = 2 ** 22,
}: {
  readonly clients: number;
  readonly maxWeight: number;
  readonly wanted?: number;
}): number {
  const most = Math.floor((RING - 1) / (clients * maxWeight));
  const levels = Math.min(wanted, most - (most % 2));
  if (levels < 2)
    throw new RangeError(
      `plan a secure sum: expected clients times weights below 2^31; got ${clients} times ${maxWeight}`,
    );
  return levels;
}

/** True where no sum of so many clients overflows. */
export function fitsRing(
  { levels, maxWeight }: Pick<SecureSettings, "levels" | "maxWeight">,
  clients: number,
): boolean {
  return clients * maxWeight * levels < RING;
}

/** A client's weight: its samples in units of `samplesPerWeight`, at least 1 and at most `maxWeight`. */
export function weightOf(
  { maxWeight, samplesPerWeight }: Pick<SecureSettings, "maxWeight" | "samplesPerWeight">,
  numSamples: number,
): number {
  return Math.max(1, Math.min(maxWeight, Math.round(numSamples / samplesPerWeight)));
}

/**
 * Changes as words of the ring, and the weight after them. Each number is rounded to the nearest step: it is off by at most
 * `clipRange / levels`, once it is within the range.
 * @throws {RangeError} on another length or numbers that are not finite.
 */
export function quantize(
  values: Float32Array,
  { settings, weight }: { readonly settings: SecureSettings; readonly weight: number },
): RingVector {
  const { length, clipRange, levels } = settings;
  if (values.length !== length)
    throw new RangeError(`quantize an update: expected ${length} numbers; got ${values.length}`);
  const vector = new Uint32Array(length + 1);
  const [least, most] = [-Math.floor(levels / 2), Math.floor(levels / 2)];
  const steps = levels / (2 * clipRange);
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value))
      throw new RangeError(`quantize an update: expected finite numbers; got ${value}`);
    vector[i] = Math.max(least, Math.min(most, Math.round(value * steps))) * weight;
  }
  vector[length] = weight;
  return vector;
}

/** The mean that a sum of {@link quantise}d vectors stands for; undefined where it has no weight. */
export function meanOf(
  sum: RingVector,
  { length, clipRange, levels }: SecureSettings,
): SecureMean | undefined {
  const totalWeight = sum[length]!;
  if (totalWeight === 0) return undefined;
  const step = (2 * clipRange) / levels;
  const mean = new Float32Array(length);
  for (let i = 0; i < length; i++) mean[i] = ((sum[i]! | 0) * step) / totalWeight;
  return { mean, totalWeight };
}
