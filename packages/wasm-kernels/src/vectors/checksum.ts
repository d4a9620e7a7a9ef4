/** Bytes in a stripe: one 32-bit word for each of the sums. */
export const STRIPE = 128;
/** Number of parallel sums. */
export const SUMS = 32;
/** Multiplier of a step. It is odd, so that the multiplication loses no information. */
const FACTOR = 0x9e3779b1;

/**
 * Returns a checksum that detects transmission errors. The checksum detects every change within one 32-bit
 * word and misses a change in several words with a probability of 2^-32. It does not protect against forgery.
 *
 * Words are little-endian, and the last word is padded with zeros. Word `i` is added to sum `i % 32`: `sum =
 * sum * 0x9e3779b1 + word` modulo 2^32. Each sum starts at 0 and ends with the last stripe of 32 words, which
 * is padded with zeros. Then `h = byteLength`, and for each sum `h = (h ^ sum) * 0x9e3779b1; h ^= h >>> 15`.
 *
 * @returns An integer from 0 to 2^32 - 1.
 */
export function checksum(bytes: Uint8Array): number {
  const sums = new Uint32Array(SUMS);
  const whole = bytes.length - (bytes.length % STRIPE);
  addStripes(sums, bytes.subarray(0, whole));
  addStripes(sums, paddedTail(bytes));
  return finishChecksum(sums, bytes.length);
}

/**
 * Returns the bytes after the last whole stripe, padded to one stripe, or an empty array if no bytes remain.
 */
export function paddedTail(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % STRIPE;
  if (rest === 0) return new Uint8Array(0);
  const stripe = new Uint8Array(STRIPE);
  stripe.set(bytes.subarray(bytes.length - rest));
  return stripe;
}

/** Combines the sums and the byte length into one number. */
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
