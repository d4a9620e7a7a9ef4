import { describe, expect, it } from "vitest";
import { seededRandom, shuffledIndices } from "./seeded-random.ts";

describe("seededRandom()", () => {
  const draw = (seed: number, stream: number, count: number) => {
    const random = seededRandom({ seed, stream });
    return Array.from({ length: count }, random);
  };

  it("repeats its sequence and differs by seed and by stream", () => {
    expect(draw(1, 2, 5)).toEqual(draw(1, 2, 5));
    expect(
      new Set([draw(1, 2, 1), draw(2, 1, 1), draw(0, 0, 1), draw(0, 1, 1), draw(1, 0, 1)].flat()).size,
    ).toBe(5);
  });

  it("is distributed evenly over 0..1", () => {
    const counts = Array<number>(10).fill(0);
    for (const value of draw(0, 0, 10_000)) counts[Math.floor(10 * value)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe("shuffledIndices()", () => {
  it("returns each number once", () => {
    for (const count of [0, 1, 2, 1003]) {
      const order = shuffledIndices(count, seededRandom({ seed: 3, stream: 0 }));
      expect(order.toSorted()).toEqual(Uint32Array.from({ length: count }, (_, i) => i));
    }
  });

  it("puts a number at every position about equally often", () => {
    const places = Array<number>(4).fill(0);
    for (let stream = 0; stream < 4000; stream++)
      places[shuffledIndices(4, seededRandom({ seed: 5, stream })).indexOf(3)]! += 1;
    for (const count of places) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
