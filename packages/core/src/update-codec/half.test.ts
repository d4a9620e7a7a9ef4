import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHalves } from "@sedna-js/wasm-kernels";
import { MAX_HALF, toHalves } from "./half.ts";

const finiteHalves = Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
  (bits) => (bits & 0x7c00) !== 0x7c00,
);
const roundTrip = (value: number): number => fromHalves(toHalves(Float32Array.of(value)))[0]!;

describe("toHalves()", () => {
  it("restores each finite half, including the sign of zero", () => {
    const values = fromHalves(Uint16Array.from(finiteHalves));
    const halves = toHalves(values);
    expect(finiteHalves.every((bits, i) => halves[i] === bits)).toBe(true);
  });

  it("rounds to the nearest half, and ties to even", () => {
    const positive = finiteHalves.filter((bits) => bits < 0x8000);
    let bad = 0;
    for (const bits of positive.slice(0, -1)) {
      const [low = 0, high = 0] = fromHalves(Uint16Array.of(bits, bits + 1));
      // A float32 represents the midpoint of two halves exactly.
      const middle = (low + high) / 2;
      const step = (high - low) / 1024;
      const even = bits % 2 === 0 ? low : high;
      for (const sign of [1, -1]) {
        if (
          roundTrip(sign * middle) !== sign * even ||
          roundTrip(sign * (middle - step)) !== sign * low ||
          roundTrip(sign * (middle + step)) !== sign * high
        )
          bad++;
      }
    }
    expect(bad).toBe(0);
  });

  it.each([
    [65_505, MAX_HALF],
    [65_519, MAX_HALF],
    [65_520, MAX_HALF],
    [1e30, MAX_HALF],
    [-3e38, -MAX_HALF],
    [2 ** -25, 0],
    [2 ** -25 * 1.0001, 2 ** -24],
    [1e-45, 0],
  ])("takes %d for %d", (value, half) => {
    expect(roundTrip(value)).toBe(half);
  });

  it("has an error of at most 2^-11 of the number, or 2^-25", () => {
    fc.assert(
      fc.property(
        fc.float({ min: -65_504, max: 65_504, noNaN: true }),
        (value) => Math.abs(roundTrip(value) - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
      ),
    );
  });
});
