import { describe, expect, it } from "vitest";
import type { TrackingKernels } from "./tracking-kernels.ts";

/** Returns an image of one gray level, optionally with a square spot of another gray level. */
function grey(
  size: { width: number; height: number },
  value: number,
  spot?: { x: number; y: number; side: number; value: number },
) {
  const data = new Uint8ClampedArray(4 * size.width * size.height).fill(value);
  if (spot) {
    for (let y = spot.y; y < spot.y + spot.side; y++)
      data.fill(spot.value, 4 * (y * size.width + spot.x), 4 * (y * size.width + spot.x + spot.side));
  }
  return { ...size, data };
}

/** Tests that the motion gate of every backend must pass. */
export function frameDifferenceSuite(kernels: () => TrackingKernels): void {
  describe("frameDifference()", () => {
    const size = { width: 32, height: 24 };

    it("reports the first image as fully changed and the same image again as unchanged", () => {
      using gate = kernels().frameDifference(size);
      expect(gate.compare(grey(size, 90))).toEqual({ changed: 1, mean: 255 });
      expect(gate.compare(grey(size, 90))).toEqual({ changed: 0, mean: 0 });
      gate.reset();
      expect(gate.compare(grey(size, 90))).toEqual({ changed: 1, mean: 255 });
      expect(gate.compare(grey(size, 90))).toEqual({ changed: 0, mean: 0 });
    });

    it("counts the changed cells, whose side is 8 pixels by default", () => {
      using gate = kernels().frameDifference(size);
      gate.compare(grey(size, 90));
      // The spot covers one of 4 x 3 cells.
      expect(gate.compare(grey(size, 90, { x: 8, y: 16, side: 8, value: 190 }))).toEqual({
        changed: 1 / 12,
        mean: 100 / 12,
      });
      expect(gate.compare(grey(size, 90)).changed).toBe(1 / 12);
    });

    it("counts a cell as changed above the threshold but not at the threshold", () => {
      using gate = kernels().frameDifference({ ...size, threshold: 5 });
      gate.compare(grey(size, 90));
      expect(gate.compare(grey(size, 95))).toEqual({ changed: 0, mean: 5 });
      expect(gate.compare(grey(size, 101)).changed).toBe(1);
      expect(gate.compare(grey(size, 95)).changed).toBe(1);
    });

    it("compares with the previous image instead of the first", () => {
      using gate = kernels().frameDifference(size);
      for (let value = 0; value <= 250; value += 5) gate.compare(grey(size, value));
      expect(gate.compare(grey(size, 255))).toEqual({ changed: 0, mean: 5 });
    });

    it("weights red, green, and blue by 77, 150, and 29 of 256 and ignores alpha", () => {
      const one = (rgba: number[]) => ({ width: 1, height: 1, data: Uint8Array.from(rgba) });
      using gate = kernels().frameDifference({ width: 1, height: 1, threshold: 0 });
      gate.compare(one([0, 0, 0, 0]));
      expect(gate.compare(one([1, 0, 0, 9])).mean).toBe(77 / 256);
      expect(gate.compare(one([1, 1, 0, 0])).mean).toBe(150 / 256);
      expect(gate.compare(one([1, 1, 1, 99])).mean).toBe(29 / 256);
      expect(gate.compare(one([1, 1, 1, 3]))).toEqual({ changed: 0, mean: 0 });
    });

    it.each([
      [1, 1],
      [1, 9],
      [9, 1],
      [17, 5],
      [1003, 3],
    ])("accepts %i x %i pixels, with smaller cells at the edges", (width, height) => {
      using gate = kernels().frameDifference({ width, height, threshold: 20 });
      const cells = Math.ceil(width / 8) * Math.ceil(height / 8);
      gate.compare(grey({ width, height }, 10));
      const corner = { x: width - 1, y: height - 1, side: 1, value: 255 };
      const { changed, mean } = gate.compare(grey({ width, height }, 10, corner));
      const pixels = (((width - 1) % 8) + 1) * (((height - 1) % 8) + 1);
      expect(changed).toBe(245 / pixels > 20 ? 1 / cells : 0);
      expect(mean).toBe(245 / (width * height));
    });

    it("accepts cells larger than the image and cells of one pixel", () => {
      for (const cell of [1, 256]) {
        using gate = kernels().frameDifference({ ...size, cell });
        gate.compare(grey(size, 0));
        expect(gate.compare(grey(size, 255))).toEqual({ changed: 1, mean: 255 });
      }
    });

    it("throws after dispose", () => {
      const gate = kernels().frameDifference(size);
      gate.dispose();
      gate.dispose();
      expect(() => gate.compare(grey(size, 1))).toThrow(
        "compare: expected a motion gate in use; got a disposed one",
      );
      expect(() => gate.reset()).toThrow("reset: expected a motion gate in use; got a disposed one");
    });
  });
}
