/** Vectors in kernel memory are whole blocks of this many numbers, filled up with zeros: no kernel has a tail. */
export const BLOCK = 16;

/** The length with padding. */
export function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}
