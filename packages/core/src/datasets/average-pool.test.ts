import { describe, expect, it } from "vitest";
import { averagePool } from "./average-pool.ts";

describe("averagePool()", () => {
  it("averages each 2 x 2 block of pixels of each image", () => {
    const pixels = Uint8Array.of(0, 255, 51, 51, 255, 0, 51, 51, 255, 255, 0, 0, 255, 255, 0, 0);
    expect([...averagePool(pixels, { width: 4, height: 2 })]).toEqual([0.5, 0.2, 1, 0].map(Math.fround));
  });

  it("rejects odd sides and an incomplete image", () => {
    expect(() => averagePool(new Uint8Array(9), { width: 3, height: 3 })).toThrow(
      "expected even sides; got 3 x 3",
    );
    expect(() => averagePool(new Uint8Array(6), { width: 2, height: 2 })).toThrow(
      "expected a multiple of 4 pixels; got 6",
    );
  });
});
