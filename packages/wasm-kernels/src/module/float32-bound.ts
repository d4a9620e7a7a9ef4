/**
 * Exact comparison of an f32 with an f64 threshold in f32 arithmetic. For an f32 `x` and an f64 `t`, rounding
 * `t` to the nearest float could change the result. Rounding in the right direction never does: `x <= t` iff
 * `x <= floorToFloat32(t)`, and `x >= t` iff `x >= ceilToFloat32(t)`.
 */

/** Returns the largest f32 that is `<= value`. */
export function floorToFloat32(value: number): number {
  const nearest = Math.fround(value);
  return nearest <= value ? nearest : neighbor(nearest, -1);
}

/** Returns the smallest f32 that is `>= value`. */
export function ceilToFloat32(value: number): number {
  const nearest = Math.fround(value);
  return nearest >= value ? nearest : neighbor(nearest, 1);
}

/**
 * Returns the next f32 in a direction. The bits of positive floats have the same order as the floats; the
 * bits of negative floats have the reverse order.
 */
function neighbor(float: number, direction: 1 | -1): number {
  const floats = new Float32Array([float]);
  const bits = new Int32Array(floats.buffer);
  // The neighbor of zero is the smallest subnormal in the given direction.
  if (float === 0) bits[0] = direction > 0 ? 1 : -0x7fffffff;
  else bits[0]! += float > 0 ? direction : -direction;
  return floats[0]!;
}

/** Returns the largest f32 below `float`, which must not be NaN. Returns `-Infinity` for `-Infinity`. */
export function nextBelowFloat32(float: number): number {
  return float === -Infinity ? float : neighbor(float, -1);
}
