import type { RandomBits } from "./random-bits.ts";

/** Steps of the lattice per standard deviation. */
const STEPS = 2 ** 32;

/**
 * Adds Gaussian noise of the given standard deviation (not variance) to each number, on a lattice: the number
 * and the noise are each rounded to a multiple of the same power of two, about 2^-32 of the deviation, and
 * added exactly. Floats have gaps that depend on the number under the noise, and a plain sum of floats would
 * reveal it. Source: Mironov, "On Significance of the Least Significant Bits for Differential Privacy", 2012.
 *
 * Limitations: the noise is Box-Muller's of 53-bit uniforms in float64, so that no draw exceeds 8.6
 * deviations, and its logarithm and cosine are the engine's. Rounding may move two inputs apart by one step
 * in each number: over a million numbers by 2e-7 of a deviation in total.
 * @throws {RangeError} If `deviation` is not finite and above 0 or too small for the lattice, or a number is
 * not finite.
 */
export function addGaussianNoise(
  values: Float32Array,
  { deviation, bits }: { readonly deviation: number; readonly bits: RandomBits },
): Float32Array {
  if (!(deviation > 0 && deviation < Infinity))
    throw new RangeError(`add noise: expected a standard deviation above 0; got ${deviation}`);
  const step = 2 ** Math.floor(Math.log2(deviation / STEPS));
  if (step === 0)
    throw new RangeError(
      `add noise: expected a standard deviation that is large enough for a lattice; got ${deviation}`,
    );
  const noisy = new Float32Array(values.length);
  const scale = deviation / step;
  let spare: number | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) throw new RangeError(`add noise: expected finite numbers; got ${value}`);
    let noise = spare;
    spare = undefined;
    if (noise === undefined) {
      // 1 - u is above 0, so its logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - bits.uniform()));
      const angle = 2 * Math.PI * bits.uniform();
      noise = radius * Math.cos(angle);
      spare = radius * Math.sin(angle);
    }
    noisy[i] = (Math.round(value / step) + Math.round(noise * scale)) * step;
  }
  return noisy;
}
