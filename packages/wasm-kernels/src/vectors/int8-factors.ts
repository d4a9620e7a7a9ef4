/** Updates whose products are added up as integers before they become a float: `PAIRS` pairs in `rust/src/averaging/int8_sum.rs`. */
const GROUP = 10;

/** Weights times scales as integers: the product of update `i` is `factors[i] * units[floor(i / 10)]`. */
export interface Int8Factors {
  /** One an update, and a 0 more where their number is odd. */
  readonly factors: Int16Array;
  readonly units: Float32Array;
}

/**
 * Rounds the products of weights and scales to integers of 16 bits. Each group of ten has the unit that
 * makes its largest product 32767, so a rounding is at most half of that.
 */
export function int8Factors(products: readonly number[]): Int8Factors {
  const factors = new Int16Array(2 * Math.ceil(products.length / 2));
  const units = new Float32Array(Math.ceil(products.length / GROUP));
  for (let group = 0; group < units.length; group++) {
    const members = products.slice(group * GROUP, (group + 1) * GROUP);
    const unit = Math.max(...members) / 32767;
    units[group] = unit;
    // Where f32 has no such small unit, all of the group's numbers are as good as 0.
    members.forEach(
      (product, i) => (factors[group * GROUP + i] = units[group] === 0 ? 0 : Math.round(product / unit)),
    );
  }
  return { factors, units };
}
