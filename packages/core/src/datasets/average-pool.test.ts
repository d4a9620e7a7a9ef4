import { describe, expect, it } from "vitest";
import { averagePool } from "./average-pool.ts";

describe("averagePool()", () => {
  it("takes the mean of each 2 x 2 pixels of each picture", () => {
    const pixels = Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51, 255, 255, 0, 0, 255, 255, 0, 0);
    expect([...averagePool(pixels, { width: 4, height: 2 })]).toEqual([0.5, 0.2, 1, 0].map(Math.fround));
  });

  it("refuses odd sides and half a picture", () => {
    expect(() => averagePool(new Uint8Array(9), { width: 3, height: 3 })).toThrow(
      "expected even sides; got 3 x 3",
    );
    expect(() => averagePool(new Uint8Array(6), { width: 2, height: 2 })).toThrow(
      "expected a multiple of 4 pixels; got 6",
    );
  });
});
