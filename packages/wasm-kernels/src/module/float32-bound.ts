/**
 * Comparing an f32 with an f64 threshold, in f32. For an f32 `x` and an f64 `t`, rounding `t` to the
 * nearest float could change the answer; rounding it towards the right side never does:
 * `x <= t` iff `x <= floorToFloat32(t)`, and `x >= t` iff `x >= ceilToFloat32(t)`.
 */

/** The largest f32 that is `<= value`. */
export function floorToFloat32(value: number): number {
  const nearest = Math.fround(value);
  return nearest <= value ? nearest : neighbor(nearest, -1);
}

/** The smallest f32 that is `>= value`. */
export function ceilToFloat32(value: number): number {
  const nearest = Math.fround(value);
  return nearest >= value ? nearest : neighbor(nearest, 1);
}

/** The next f32 in a direction. Bits of positive floats are ordered as the floats are; of negative ones, reversed. */
function neighbor(float: number, direction: 1 | -1): number {
  const floats = new Float32Array([float]);
  const bits = new Int32Array(floats.buffer);
  // Zero comes here only from a value that underflowed: the neighbour is the smallest subnormal.
  if (float === 0) bits[0] = direction > 0 ? 1 : -0x7fffffff;
  else bits[0]! += float > 0 ? direction : -direction;
  return floats[0]!;
}

/** The largest f32 below an f32 that isn't NaN; -Infinity stays. */
export function nextBelowFloat32(float: number): number {
  return float === -Infinity ? float : neighbor(float, -1);
}
