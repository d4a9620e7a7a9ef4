import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { letterboxPlan } from "./letterbox-plan.ts";

const side = fc.integer({ min: 1, max: 300 });
const size = fc.record({ width: side, height: side });

describe("letterboxPlan()", () => {
  it("centers a wide image between borders", () => {
    const { content, left, top } = letterboxPlan({
      source: { width: 1280, height: 720 },
      tensor: { width: 640, height: 640 },
      fit: "letterbox",
    });
    expect({ content, left, top }).toEqual({ content: { width: 640, height: 360 }, left: 0, top: 140 });
  });

  it("stays inside the tensor and reads inside the image", () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.constantFrom("letterbox" as const, "stretch" as const),
        (source, tensor, fit) => {
          const plan = letterboxPlan({ source, tensor, fit });
          expect(
            plan.content.width >= 1 && plan.left >= 0 && plan.left + plan.content.width <= tensor.width,
          ).toBe(true);
          expect(
            plan.content.height >= 1 && plan.top >= 0 && plan.top + plan.content.height <= tensor.height,
          ).toBe(true);
          expect(
            plan.columns.every((offset) => offset % 4 === 0 && offset / 4 <= Math.max(0, source.width - 2)),
          ).toBe(true);
          expect(plan.rows.every((row) => row < source.height)).toBe(true);
          expect([...plan.horizontal, ...plan.vertical].every((weight) => weight >= 0 && weight <= 1)).toBe(
            true,
          );
        },
      ),
    );
  });

  it("keeps the aspect ratio to the nearest pixel", () => {
    fc.assert(
      fc.property(size, size, (source, tensor) => {
        const { content } = letterboxPlan({ source, tensor, fit: "letterbox" });
        const scale = Math.min(tensor.width / source.width, tensor.height / source.height);
        expect(Math.abs(content.width - Math.max(1, source.width * scale))).toBeLessThanOrEqual(0.5000001);
        expect(Math.abs(content.height - Math.max(1, source.height * scale))).toBeLessThanOrEqual(0.5000001);
      }),
    );
  });
});
