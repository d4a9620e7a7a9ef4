import type { SecureSettings } from "../wire/secure-aggregation.ts";
import type { RingVector } from "./keystream.ts";

// Masks only hide elements of a finite ring, so updates become integers modulo 2^32: steps of the range,
// times the client's weight. The last word of a vector is the weight itself, so that the sum gives the total
// weight and no single weight.

/** A mean and its total weight. */
export interface SecureMean {
  /** The weighted mean of the updates. */
  readonly mean: Float32Array;
  readonly totalWeight: number;
}

const RING = 2 ** 32;

/** Options of {@link levelsFor}. */
interface LevelsForOptions {
  readonly clients: number;
  readonly maxWeight: number;
  readonly wanted?: number;
}

/**
 * Returns the largest number of levels, at most `wanted`, with which a sum of this many clients of this
 * weight cannot overflow.
 */
export function levelsFor({ clients, maxWeight, wanted = 2 ** 22 }: LevelsForOptions): number {
  const most = Math.floor((RING - 1) / (clients * maxWeight));
  const levels = Math.min(wanted, most - (most % 2));
  if (levels < 2)
    throw new RangeError(
      `plan a secure aggregation: expected clients times weights below 2^31; got ${clients} times ${maxWeight}`,
    );
  return levels;
}

/** Whether a sum of this many clients cannot overflow. */
export function fitsRing(
  { levels, maxWeight }: Pick<SecureSettings, "levels" | "maxWeight">,
  clients: number,
): boolean {
  return clients * maxWeight * levels < RING;
}

/** Returns a client's weight: its samples in units of `samplesPerWeight`, from 1 to `maxWeight`. */
export function weightOf(
  { maxWeight, samplesPerWeight }: Pick<SecureSettings, "maxWeight" | "samplesPerWeight">,
  numSamples: number,
): number {
  return Math.max(1, Math.min(maxWeight, Math.round(numSamples / samplesPerWeight)));
}

/**
 * Returns an update as words of the ring, followed by the weight. Each value is clipped to the range and
 * rounded to the nearest step; a value within the range is off by at most `clipRange / levels`.
 *
 * @throws {RangeError} If the length is wrong or a value is not finite.
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

/**
 * Returns the mean that a sum of vectors of {@link quantize} represents, or `undefined` if its total weight
 * is 0.
 */
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
