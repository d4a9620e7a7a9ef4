/** Bytes of a stripe: a word for each of the sums. */
export const STRIPE = 128;
/** Sums side by side. */
export const SUMS = 32;
/** Odd, so that a step loses nothing. */
const FACTOR = 0x9e3779b1;

/**
 * A checksum that finds what a connection spoils: a change in one 32-bit word always shows, one in several with a
 * chance of 2^-32 not. It is no defence against who forges.
 *
 * Words are little-endian, the last padded with zeros. Word `i` goes to sum `i % 32`: `sum = sum * 0x9e3779b1 + word`
 * modulo 2^32, each starting at 0, up to the end of the last stripe of 32 words, padded with zeros. Then
 * `h = byteLength`, and for each sum `h = (h ^ sum) * 0x9e3779b1; h ^= h >>> 15`.
 * @returns a whole number from 0 to 2^32 - 1.
 */
export function checksum(bytes: Uint8Array): number {
  const sums = new Uint32Array(SUMS);
  const whole = bytes.length - (bytes.length % STRIPE);
  addStripes(sums, bytes.subarray(0, whole));
  addStripes(sums, paddedTail(bytes));
  return finishChecksum(sums, bytes.length);
}

/** What is left after the last whole stripe, padded to one; nothing where nothing is left. */
export function paddedTail(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % STRIPE;
  if (rest === 0) return new Uint8Array(0);
  const stripe = new Uint8Array(STRIPE);
  stripe.set(bytes.subarray(bytes.length - rest));
  return stripe;
}

/** One number of the sums and the length. */
export function finishChecksum(sums: Uint32Array, byteLength: number): number {
  let hash = byteLength | 0;
  for (const sum of sums) {
    hash = Math.imul(hash ^ sum, FACTOR);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

function addStripes(sums: Uint32Array, stripes: Uint8Array): void {
  const view = new DataView(stripes.buffer, stripes.byteOffset, stripes.length);
  for (let at = 0; at < stripes.length; at += STRIPE) {
    for (let i = 0; i < SUMS; i++) sums[i] = Math.imul(sums[i]!, FACTOR) + view.getUint32(at + 4 * i, true);
  }
}
