/**
 * Updates whose products are summed as integers before the sum becomes a float: `PAIRS` pairs in
 * `rust/src/averaging/int8_sum.rs`.
 */
const GROUP = 10;

/** Weights times scales as integers. The product of update `i` is `factors[i] * units[floor(i / 10)]`. */
export interface Int8Factors {
  /** One factor per update, followed by a 0 if the number of updates is odd. */
  readonly factors: Int16Array;
  readonly units: Float32Array;
}

/**
 * Rounds the products of weights and scales to 16-bit integers. Each group of ten products has the unit that
 * makes its largest product 32767, so the rounding error is at most half a unit.
 */
export function int8Factors(products: readonly number[]): Int8Factors {
  const factors = new Int16Array(2 * Math.ceil(products.length / 2));
  const units = new Float32Array(Math.ceil(products.length / GROUP));
  for (let group = 0; group < units.length; group++) {
    const members = products.slice(group * GROUP, (group + 1) * GROUP);
    const unit = Math.max(...members) / 32767;
    units[group] = unit;
    // If f32 cannot represent such a small unit, all products of the group are practically 0.
    members.forEach(
      (product, i) => (factors[group * GROUP + i] = units[group] === 0 ? 0 : Math.round(product / unit)),
    );
  }
  return { factors, units };
}
