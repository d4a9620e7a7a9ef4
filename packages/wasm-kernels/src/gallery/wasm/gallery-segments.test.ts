import { describe, expect, it } from "vitest";
import { segmentPlan } from "./gallery-segments.ts";

describe("segmentPlan()", () => {
  it.each([1, 64, 2048, 262_144, 2 ** 24])(
    "leaves no gap between segments and finds the segment of each slot, with rows of %i bytes",
    (rowBytes) => {
      const { rangeOf, segmentOf } = segmentPlan(rowBytes);
      let next = 0;
      for (let segment = 0; segment < 24; segment++) {
        const { first, capacity } = rangeOf(segment);
        expect(first).toBe(next);
        expect(capacity % 256).toBe(0);
        expect([segmentOf(first), segmentOf(first + capacity - 1)]).toEqual([segment, segment]);
        next = first + capacity;
      }
    },
  );

  it("doubles segments up to 64 MiB and no further", () => {
    const { rangeOf } = segmentPlan(2048);
    expect([0, 1, 7, 8, 50].map((segment) => rangeOf(segment).capacity)).toEqual([
      256, 512, 32_768, 32_768, 32_768,
    ]);
  });
});
