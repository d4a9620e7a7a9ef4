import type { Region } from "./privacy-policy.ts";

/** A box of whole pixels; `right` and `bottom` are exclusive. */
export interface PixelBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Options of {@link pixelBoxes}. */
interface PixelBoxesOptions {
  readonly width: number;
  readonly height: number;
  readonly padding: number;
}

/**
 * Converts regions to boxes of whole pixels within the image. Each box grows by `padding` times its longer
 * side. Regions outside the image are dropped.
 *
 * @throws {RangeError} If a region is not a valid box, because it could not be hidden.
 */
export function pixelBoxes(
  regions: readonly Region[],
  { width, height, padding }: PixelBoxesOptions,
): PixelBox[] {
  return regions
    .map((region) => {
      const [x1, y1, x2, y2] = [region[0]!, region[1]!, region[2]!, region[3]!];
      if (![x1, y1, x2, y2].every(Number.isFinite) || x2 < x1 || y2 < y1)
        throw new RangeError(
          `read a region: expected xmin <= xmax and ymin <= ymax in pixels; got [${x1}, ${y1}, ${x2}, ${y2}]`,
        );
      const pad = padding * Math.max(x2 - x1, y2 - y1);
      const cut = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);
      return {
        left: cut(Math.floor(x1 - pad), width),
        top: cut(Math.floor(y1 - pad), height),
        right: cut(Math.ceil(x2 + pad), width),
        bottom: cut(Math.ceil(y2 + pad), height),
      };
    })
    .filter(({ left, top, right, bottom }) => right > left && bottom > top);
}

/** Returns the smallest box around all boxes, or `undefined` if there are none. */
export function unionBox(boxes: readonly PixelBox[]): PixelBox | undefined {
  if (boxes.length === 0) return undefined;
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  };
}
