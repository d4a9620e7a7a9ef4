import { describe, expect, it } from "vitest";
import type { TrackingKernels } from "./tracking-kernels.ts";

const f32 = (...values: number[]) => Float32Array.from(values);
const i32 = (...values: number[]) => Int32Array.from(values);

/** Tests that the box kernels of every backend must pass. */
export function boxesSuite(kernels: () => TrackingKernels): void {
  describe("boxIou()", () => {
    it("compares every box with every other box", () => {
      const boxes = f32(0, 0, 2, 2, 1, 1, 3, 3);
      const others = f32(0, 0, 2, 2, 1, 0, 3, 2, 5, 5, 6, 6);
      const iou = kernels().boxIou({ boxes, others });
      expect(iou).toEqual(f32(1, 1 / 3, 0, 1 / 7, 1 / 3, 0));
    });

    it("returns 0 for empty and inverted boxes, even for a box with itself", () => {
      const odd = f32(1, 1, 1, 1, 2, 2, 0, 0, 0, 0, 2, 0);
      expect([...kernels().boxIou({ boxes: odd, others: odd })]).toEqual(Array(9).fill(0));
      expect([...kernels().boxIou({ boxes: f32(0, 0, 2, 2), others: odd })]).toEqual([0, 0, 0]);
    });

    it("returns 0 for boxes with NaN and for areas that are not finite", () => {
      const odd = [0, 1, 2, 3].map((side) => [0, 0, 1, 1].map((value, i) => (i === side ? NaN : value)));
      const boxes = f32(...odd.flat(), -3e38, -3e38, 3e38, 3e38, -Infinity, 0, Infinity, 0, 0, 0, 1, 1);
      const iou = [...kernels().boxIou({ boxes, others: boxes })];
      expect(iou).toEqual([...Array(48).fill(0), 1]);
    });

    it.each([
      [0, 0],
      [0, 3],
      [3, 0],
      [1, 1],
      [1, 1003],
      [1003, 1],
      [5, 4099],
    ])("compares %i x %i boxes", (n, m) => {
      const row = (count: number) =>
        Float32Array.from({ length: 4 * count }, (_, i) => Math.floor(i / 4) * 2 + (i % 4 < 2 ? 0 : 2));
      const iou = kernels().boxIou({ boxes: row(n), others: row(m) });
      expect(iou.length).toBe(n * m);
      iou.forEach((value, i) => expect(value).toBe(Math.floor(i / m) === i % m ? 1 : 0));
    });
  });

  describe("assign()", () => {
    const assign = (cost: number[][], maxCost?: number) => {
      const shape = { rows: cost.length, columns: cost[0]!.length };
      return kernels().assign({
        cost: f32(...cost.flat()),
        ...shape,
        ...(maxCost === undefined ? {} : { maxCost }),
      });
    };

    it("minimizes the total cost instead of the first cost", () => {
      const found = assign([
        [1, 2],
        [2, 9],
      ]);
      expect(found).toEqual({ columnOfRow: i32(1, 0), rowOfColumn: i32(1, 0), cost: 4 });
    });

    it("matches as many pairs as the shorter side has elements", () => {
      expect(assign([[5, 1, 3]])).toEqual({ columnOfRow: i32(1), rowOfColumn: i32(-1, 0, -1), cost: 1 });
      expect(assign([[5], [1], [3]])).toEqual({ columnOfRow: i32(-1, 0, -1), rowOfColumn: i32(1), cost: 1 });
    });

    it("accepts negative and equal costs and prefers the first of equal costs", () => {
      expect(
        assign([
          [-1, -5],
          [-2, -3],
        ]).cost,
      ).toBe(-7);
      expect(
        assign([
          [0, 0, 0],
          [0, 0, 0],
        ]).columnOfRow,
      ).toEqual(i32(0, 1));
    });

    it("never matches a forbidden pair and matches as many other pairs as possible at minimum cost", () => {
      const no = Infinity;
      expect(
        assign([
          [1, no],
          [1, 100],
        ]),
      ).toEqual({ columnOfRow: i32(0, 1), rowOfColumn: i32(0, 1), cost: 101 });
      expect(
        assign([
          [3, no],
          [1, no],
        ]),
      ).toEqual({ columnOfRow: i32(-1, 0), rowOfColumn: i32(1, -1), cost: 1 });
      expect(
        assign([
          [no, no],
          [no, no],
        ]),
      ).toEqual({ columnOfRow: i32(-1, -1), rowOfColumn: i32(-1, -1), cost: 0 });
    });

    it("never matches above maxCost and leaves a pair unmatched if that lowers the total cost", () => {
      expect(
        assign(
          [
            [0.1, 0.9],
            [0.9, 0.9],
          ],
          0.8,
        ).columnOfRow,
      ).toEqual(i32(0, -1));
      // Matching both pairs costs 12. Matching one pair and leaving a row and a column unmatched costs 1 + 8.
      expect(
        assign(
          [
            [1, 6],
            [6, 100],
          ],
          8,
        ),
      ).toMatchObject({ columnOfRow: i32(0, -1), cost: 1 });
      expect(
        assign(
          [
            [1, 6],
            [6, 100],
          ],
          12,
        ),
      ).toMatchObject({ columnOfRow: i32(1, 0), cost: 12 });
    });

    it("compares f32 costs with an f64 limit exactly", () => {
      expect(assign([[0.1]], 0.1).columnOfRow).toEqual(i32(-1));
      expect(assign([[0.7]], 0.7).columnOfRow).toEqual(i32(0));
      expect(assign([[0]], -Infinity).columnOfRow).toEqual(i32(-1));
      expect(assign([[3e38, -3e38]], Infinity).columnOfRow).toEqual(i32(1));
    });

    it("keeps small costs exact if the limit is out of reach", () => {
      const tiny = 2 ** -40;
      expect(
        assign(
          [
            [3 * tiny, Infinity],
            [tiny, Infinity],
            [2 * tiny, Infinity],
          ],
          1e300,
        ),
      ).toMatchObject({ columnOfRow: i32(-1, 0, -1), cost: tiny });
    });

    it.each([
      [0, 0],
      [0, 3],
      [3, 0],
    ])("matches nothing in a %i x %i matrix", (rows, columns) => {
      const noMatch = {
        columnOfRow: new Int32Array(rows).fill(-1),
        rowOfColumn: new Int32Array(columns).fill(-1),
        cost: 0,
      };
      expect(kernels().assign({ cost: f32(), rows, columns, maxCost: 1 })).toEqual(noMatch);
    });
  });
}
