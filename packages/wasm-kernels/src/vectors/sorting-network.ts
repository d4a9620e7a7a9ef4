/**
 * Returns the pairs of rows to compare and swap, one after the other, so that any `rows` values are sorted:
 * `[a, b, a, b, ...]`, `a < b`. Source: Batcher's odd-even mergesort, Knuth, TAOCP 3, 5.2.2 M.
 */
export function sortingNetwork(rows: number): Uint32Array {
  const pairs: number[] = [];
  for (let sorted = 1; sorted < rows; sorted *= 2) {
    for (let distance = sorted; distance >= 1; distance /= 2) {
      for (let first = distance % sorted; first + distance < rows; first += 2 * distance) {
        for (let i = first; i < Math.min(first + distance, rows - distance); i++) {
          const sameBlock = Math.floor(i / (2 * sorted)) === Math.floor((i + distance) / (2 * sorted));
          if (sameBlock) pairs.push(i, i + distance);
        }
      }
    }
  }
  return Uint32Array.from(pairs);
}
