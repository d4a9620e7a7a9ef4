/** Largest finite half-precision number. */
export const MAX_HALF = 65_504;

/**
 * Returns the bits of the nearest half-precision float for each number, with ties to even. Numbers beyond the
 * largest finite half become that half. Numbers must be finite. Source: IEEE 754, binary16.
 */
export function toHalves(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x477fe000) {
      // 65504 and above.
      halves[i] = sign | 0x7bff;
    } else if (magnitude >= 0x38800000) {
      // Normal: drop 13 bits; the exponent bias is 112 less. A carry out of the mantissa increments the
      // exponent.
      const kept = magnitude - 0x38000000;
      const half = (kept + 0xfff + ((kept >>> 13) & 1)) >>> 13;
      halves[i] = sign | half;
    } else {
      // Subnormal: a multiple of 2^-24. A float64 represents half of one exactly.
      const scaled = Math.abs(values[i]!) * 2 ** 24;
      const down = Math.floor(scaled);
      const over = scaled - down;
      halves[i] = sign | (over > 0.5 || (over === 0.5 && down % 2 === 1) ? down + 1 : down);
    }
  }
  return halves;
}
