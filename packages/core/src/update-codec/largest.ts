/**
 * Returns the indices of the `count` numbers of largest magnitude, ascending; of equal numbers the first
 * ones. Makes two passes over the numbers' bits, which sort like their magnitudes, so the time is linear for
 * any numbers. NaN is not supported.
 */
export function largest(values: Float32Array, count: number): Uint32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (count >= words.length) return Uint32Array.from(words, (_, i) => i);
  // Rank by the upper 16 bits without the sign, then by the lower 16 bits of the numbers at the threshold.
  const upper = histogram(words, (word) => (word & 0x7fffffff) >>> 16);
  const high = rank(upper, count);
  const lower = histogram(words, (word) => ((word & 0x7fffffff) >>> 16 === high.bin ? word & 0xffff : -1));
  const low = rank(lower, count - high.above);
  const threshold = high.bin * 0x10000 + low.bin;
  let ties = count - high.above - low.above;
  const places = new Uint32Array(count);
  let next = 0;
  for (let i = 0; i < words.length; i++) {
    const magnitude = words[i]! & 0x7fffffff;
    if (magnitude > threshold || (magnitude === threshold && ties-- > 0)) places[next++] = i;
  }
  return places;
}

function histogram(words: Uint32Array, binOf: (word: number) => number): Uint32Array {
  const bins = new Uint32Array(0x10000);
  for (let i = 0; i < words.length; i++) {
    const bin = binOf(words[i]!);
    if (bin >= 0) bins[bin]!++;
  }
  return bins;
}

/** Returns the bin that holds the `count`-th largest value, and the number of values in the bins above it. */
function rank(bins: Uint32Array, count: number): { readonly bin: number; readonly above: number } {
  let above = 0;
  let bin = bins.length - 1;
  while (bin > 0 && above + bins[bin]! < count) above += bins[bin--]!;
  return { bin, above };
}
