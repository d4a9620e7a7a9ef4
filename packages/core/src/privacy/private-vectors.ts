import { gaussianNoiseFor } from "./analytic-gaussian.ts";
import { discreteLaplace } from "./discrete-laplace.ts";
import { addGaussianNoise } from "./gaussian-noise.ts";
import type { RandomBits } from "./random-bits.ts";

// Local differential privacy of vectors: an observer of a noisy vector can hardly tell which of any two
// vectors it is based on. Two vectors within a ball of radius `bound` are up to twice the bound apart; the
// noise covers that distance.

/** Mechanism that makes vectors private. */
export type VectorMechanism =
  /** Pure epsilon: Laplace noise on vectors within an L1 ball. */
  | {
      readonly kind: "laplace";
      readonly epsilon: number;
      /** Maximum L1 norm; longer vectors are scaled down to it. */ readonly bound: number;
    }
  /** (epsilon, delta): Gaussian noise on vectors within an L2 ball. */
  | {
      readonly kind: "gaussian";
      readonly epsilon: number;
      readonly delta: number;
      /** Maximum L2 norm; longer vectors are scaled down to it. */ readonly bound: number;
    };

/** Steps of the lattice per bound. Rounding increases the noise by a relative `width / 2^31`. */
const STEPS = 2 ** 30;

/** Options of {@link privateVectors}. */
interface PrivateVectorsOptions {
  readonly width: number;
  readonly mechanism: VectorMechanism;
  readonly bits: RandomBits;
}

/**
 * Returns rows of `width` numbers with noise, each row private on its own: the noisy row is epsilon- (or
 * (epsilon, delta)-) differentially private for that row. Laplace noise is drawn exactly, on a lattice that
 * does not depend on the row.
 * @throws {RangeError} If a setting is out of range, a number is not finite, or epsilon is too small for the
 * lattice.
 */
export function privateVectors(
  rows: Float32Array,
  { width, mechanism, bits }: PrivateVectorsOptions,
): Float32Array {
  const { kind, epsilon, bound } = mechanism;
  if (!(epsilon > 0 && epsilon < Infinity))
    throw new RangeError(`make vectors private: expected an epsilon above 0; got ${epsilon}`);
  if (!(bound > 0 && bound < Infinity))
    throw new RangeError(`make vectors private: expected a bound above 0; got ${bound}`);
  if (!(Number.isInteger(width) && width >= 1 && rows.length % width === 0))
    throw new RangeError(
      `make vectors private: expected rows of ${width} numbers; got ${rows.length} numbers`,
    );
  if (!rows.every(Number.isFinite))
    throw new RangeError("make vectors private: expected finite numbers; got others");
  const clipped = rows.slice();
  for (let i = 0; i < rows.length; i += width) clip(clipped.subarray(i, i + width), mechanism);
  if (kind === "gaussian")
    return addGaussianNoise(clipped, { deviation: 2 * bound * gaussianNoiseFor(mechanism), bits });

  // In lattice steps, two rows are at most 2 * bound apart, plus half a step of rounding for each number of
  // each row.
  const step = 2 ** Math.floor(Math.log2(bound)) / STEPS;
  const sensitivity = Math.ceil((2 * bound) / step) + width;
  const scale = Math.ceil(sensitivity / epsilon);
  for (let i = 0; i < clipped.length; i++)
    clipped[i] = (Math.round(clipped[i]! / step) + discreteLaplace(scale, bits)) * step;
  return clipped;
}

/** Scales a row down into the ball, including the margin for rounding to float32. */
function clip(row: Float32Array, { kind, bound }: VectorMechanism): void {
  const length =
    kind === "laplace"
      ? row.reduce((sum, value) => sum + Math.abs(value), 0)
      : Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  if (length <= bound) return;
  const factor = (bound / length) * (1 - 2 ** -22);
  for (let i = 0; i < row.length; i++) row[i] = row[i]! * factor;
}
