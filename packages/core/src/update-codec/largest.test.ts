import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { largest } from "./largest.ts";

/** Reference implementation: sorts all indices by magnitude and takes the first `count`. */
const bySorting = (values: Float32Array, count: number): number[] =>
  [...values.keys()]
    .toSorted((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b)
    .slice(0, count)
    .toSorted((a, b) => a - b);
const floats = (length: number): fc.Arbitrary<Float32Array> =>
  fc.oneof(
    fc.float32Array({ maxLength: length, noNaN: true }),
    fc
      .array(fc.constantFrom(0, -0, 1, -1, 1.0000001, -2, 1e-45, 3e38, Infinity), { maxLength: length })
      .map((list) => Float32Array.from(list)),
  );

describe("largest()", () => {
  it("matches sorting, with ties, signs and any count", () => {
    fc.assert(
      fc.property(
        floats(40),
        fc.nat(45),
        (values, count) => void expect([...largest(values, count)]).toEqual(bySorting(values, count)),
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    [0, 3],
    [1, 1],
    [4, 0],
    [5, 5],
    [1003, 10],
    [1003, 1002],
  ])("of %d numbers finds the largest %d", (length, count) => {
    const values = Float32Array.from({ length }, (_, i) => Math.sin(i * i));
    expect([...largest(values, count)]).toEqual(bySorting(values, count));
  });

  it("takes no longer for numbers that are equal or sorted", () => {
    for (const value of [() => 0.5, (i: number) => i, (i: number) => -i]) {
      const values = Float32Array.from({ length: 300_000 }, (_, i) => value(i));
      const before = process.cpuUsage();
      expect(largest(values, 1000)).toHaveLength(1000);
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
    }
  });
});
