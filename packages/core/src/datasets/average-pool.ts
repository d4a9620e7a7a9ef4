/**
 * Returns gray images reduced by the mean of each 2 x 2 pixels and scaled to 0..1: features that a small head
 * can be trained on.
 * @param pixels `[n, height, width]`, bytes; `height` and `width` even.
 * @returns `[n, height / 2, width / 2]`.
 * @throws {RangeError} If a side is odd, or `pixels` is not a whole number of images.
 *
 * @example
 * ```ts
 * import { averagePool } from "@sedna-js/core/datasets";
 *
 * console.log([...averagePool(Uint8Array.of(0, 0, 255, 255), { width: 2, height: 2 })]); // => [0.5]
 * ```
 */
export function averagePool(
  pixels: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): Float32Array {
  if (width % 2 !== 0 || height % 2 !== 0)
    throw new RangeError(`pool pictures: expected even sides; got ${width} x ${height}`);
  if (pixels.length % (width * height) !== 0)
    throw new RangeError(
      `pool pictures: expected a multiple of ${width * height} pixels; got ${pixels.length}`,
    );
  const pooled = new Float32Array(pixels.length / 4);
  // The images are stacked vertically, so they pool like a single tall image.
  for (let i = 0; i < pooled.length; i++) {
    const row = Math.floor(i / (width / 2));
    const at = 2 * row * width + 2 * (i % (width / 2));
    pooled[i] = (pixels[at]! + pixels[at + 1]! + pixels[at + width]! + pixels[at + width + 1]!) / 1020;
  }
  return pooled;
}
