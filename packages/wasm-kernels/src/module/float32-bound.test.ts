import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ceilToFloat32, floorToFloat32 } from "./float32-bound.ts";

describe("floorToFloat32() and ceilToFloat32()", () => {
  it("return values that are already floats", () => {
    for (const value of [0, -0, 0.5, -0.5, 1, Infinity, -Infinity, 1.401298464324817e-45]) {
      expect([floorToFloat32(value), ceilToFloat32(value)]).toEqual([value, value]);
    }
  });

  it("enclose other values between neighboring floats", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const [low, high] = [floorToFloat32(value), ceilToFloat32(value)];
        expect(low <= value && value <= high).toBe(true);
        expect([low, high].includes(Math.fround(value))).toBe(true);
      }),
    );
  });

  it("handle underflow near zero and overflow beyond the largest float", () => {
    expect([floorToFloat32(1e-60), ceilToFloat32(1e-60)]).toEqual([0, 1.401298464324817e-45]);
    expect([floorToFloat32(-1e-60), ceilToFloat32(-1e-60)]).toEqual([-1.401298464324817e-45, -0]);
    expect([floorToFloat32(1e300), ceilToFloat32(-1e300)]).toEqual([
      3.4028234663852886e38, -3.4028234663852886e38,
    ]);
  });
});
