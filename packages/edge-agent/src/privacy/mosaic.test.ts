import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mosaic } from "./mosaic.ts";

const noise = (width: number, height: number): Uint8ClampedArray =>
  Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i * 7919 + (i >> 3) * 104_729) % 251);
const rgbAt = (data: Uint8ClampedArray, at: number): string => data.subarray(4 * at, 4 * at + 4).join();

describe("mosaic()", () => {
  it("keeps all pixels outside the boxes and at most 6 by 6 colors inside, for any box", () => {
    const box = fc
      .record({
        left: fc.nat(90),
        top: fc.nat(70),
        w: fc.integer({ min: 1, max: 100 }),
        h: fc.integer({ min: 1, max: 80 }),
      })
      .map(({ left, top, w, h }) => ({
        left,
        top,
        right: Math.min(100, left + w),
        bottom: Math.min(80, top + h),
      }));
    fc.assert(
      fc.property(box, ({ left, top, right, bottom }) => {
        const before = noise(100, 80);
        const data = before.slice();
        mosaic({ width: 100, height: 80, data }, [{ left, top, right, bottom }]);
        const cells = new Map<string, number>();
        let changed = 0;
        for (let y = 0; y < 80; y++) {
          for (let x = 0; x < 100; x++) {
            const at = y * 100 + x;
            if (x < left || x >= right || y < top || y >= bottom)
              changed += rgbAt(data, at) === rgbAt(before, at) ? 0 : 1;
            else cells.set(rgbAt(data, at), (cells.get(rgbAt(data, at)) ?? 0) + 1);
          }
        }
        expect(changed).toBe(0);
        expect(cells.size).toBeLessThanOrEqual(36);
        // No cell is a sliver of few pixels.
        const least = Math.min(8, right - left) * Math.min(8, bottom - top);
        expect(Math.min(...cells.values())).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 50 },
    );
  });

  it("is irreversible: images that differ only within cells produce the same result", () => {
    const stripes = Uint8ClampedArray.from({ length: 4 * 48 * 48 }, (_, i) =>
      (i >> 2) % 2 === 0 ? 200 : 100,
    );
    const plain = new Uint8ClampedArray(4 * 48 * 48).fill(150);
    for (const data of [stripes, plain])
      mosaic({ width: 48, height: 48, data }, [{ left: 0, top: 0, right: 48, bottom: 48 }]);
    expect(stripes).toEqual(plain);
  });
});
