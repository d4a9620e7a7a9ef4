/**
 * Elements per block. Vectors in kernel memory are padded with zeros to whole blocks, so that no kernel needs
 * a remainder loop.
 */
export const BLOCK = 16;

/** Returns the length with padding. */
export function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}
