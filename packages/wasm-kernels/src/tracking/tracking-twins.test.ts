import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AssignOptions } from "./assignment.ts";
import { loadTrackingKernels } from "./load-tracking-kernels.ts";
import type { TrackingKernels } from "./tracking-kernels.ts";
import { referenceTrackingKernels } from "./reference/reference-tracking-kernels.ts";

const slow = referenceTrackingKernels();
let fast: TrackingKernels;
beforeAll(async () => {
  fast = await loadTrackingKernels({ backend: "wasm" });
});
afterAll(() => fast.dispose());

const seeded = (length: number, seed: number) => {
  let state = seed >>> 0;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24,
  );
};
const floats = (length: number, value: fc.Arbitrary<number>) =>
  fc
    .array(value, { minLength: length, maxLength: length, size: "max" })
    .map((values) => Float32Array.from(values));

/** Summary of a matching: the number of pairs and their cost. */
interface Best {
  readonly pairs: number;
  readonly cost: number;
}

/** Returns the best of all matchings by `better`. Every row takes no column or a free column. */
function bruteForce(
  { cost, rows, columns, maxCost = Infinity }: AssignOptions,
  better: (a: Best, b: Best) => boolean,
): Best {
  const from = (row: number, taken: number): Best => {
    if (row === rows) return { pairs: 0, cost: 0 };
    let best = from(row + 1, taken);
    for (let column = 0; column < columns; column++) {
      const here = cost[row * columns + column]!;
      if (here === Infinity || here > maxCost || taken & (1 << column)) continue;
      const rest = from(row + 1, taken | (1 << column));
      const found = { pairs: rest.pairs + 1, cost: rest.cost + here };
      if (better(found, best)) best = found;
    }
    return best;
  };
  return from(0, 0);
}

/** Returns the matching of one backend after checking that it is a valid matching. */
function matched(kernels: TrackingKernels, options: AssignOptions): Best {
  const { columnOfRow, rowOfColumn, cost } = kernels.assign(options);
  let sum = 0;
  let pairs = 0;
  columnOfRow.forEach((column, row) => {
    if (column === -1) return;
    expect(rowOfColumn[column]).toBe(row);
    const here = options.cost[row * options.columns + column]!;
    expect(here).toBeLessThanOrEqual(options.maxCost ?? 3.5e38);
    sum += here;
    pairs++;
  });
  expect(rowOfColumn.filter((row) => row !== -1).length).toBe(pairs);
  expect(cost).toBe(sum);
  return { pairs, cost };
}

const side = fc.integer({ min: 0, max: 5 });
// Few distinct costs, so that solutions tie and sums are exact. Some pairs are forbidden.
const coarse = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -8, max: 24 }).map((n) => n / 8) },
  { weight: 1, arbitrary: fc.constant(Infinity) },
);
const shaped = (value: fc.Arbitrary<number>) =>
  fc.tuple(side, side).chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      cost: floats(rows * columns, value),
    }),
  );

describe("assign() on both backends", () => {
  const backends = (): TrackingKernels[] => [fast, slow];

  it("matches the maximum number of pairs at the minimum cost of all permutations", () => {
    fc.assert(
      fc.property(shaped(coarse), (options) => {
        const best = bruteForce(
          options,
          (a, b) => a.pairs > b.pairs || (a.pairs === b.pairs && a.cost < b.cost),
        );
        for (const kernels of backends()) expect(matched(kernels, options)).toEqual(best);
      }),
      { numRuns: 400 },
    );
  });

  it("minimizes the matched costs plus half of maxCost for each unmatched row and column", () => {
    fc.assert(
      fc.property(shaped(coarse), fc.integer({ min: -10, max: 30 }), (shape, eighths) => {
        const options = { ...shape, maxCost: eighths / 8 };
        const alone = ({ pairs }: Best) => shape.rows + shape.columns - 2 * pairs;
        const total = (best: Best) => best.cost + (options.maxCost / 2) * alone(best);
        const best = bruteForce(options, (a, b) => total(a) < total(b));
        for (const kernels of backends()) expect(total(matched(kernels, options))).toBe(total(best));
      }),
      { numRuns: 400 },
    );
  });

  it("finds the optimum of any finite costs within the precision of f64 sums", () => {
    const any = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
    fc.assert(
      fc.property(shaped(any), (options) => {
        const best = bruteForce(
          options,
          (a, b) => a.pairs > b.pairs || (a.pairs === b.pairs && a.cost < b.cost),
        );
        for (const kernels of backends()) {
          const got = matched(kernels, options);
          expect(got.pairs).toBe(best.pairs);
          expect(Math.abs(got.cost - best.cost)).toBeLessThanOrEqual(1e-9);
        }
      }),
    );
  });

  it.each([
    [60, 60],
    [40, 101],
    [101, 40],
    [1, 1003],
    [1003, 1],
  ])("finds a planted optimum of %i x %i", (rows, columns) => {
    // A pair costs the price of its row plus the price of its column, plus at least 1/8 if the pair is not in
    // the planted matching. Columns outside the matching have the price 0, the maximum price of a column.
    const pairs = Math.min(rows, columns);
    const prices = seeded(rows + columns, rows).map((u) => Math.floor(u * 64) / 8);
    const rowPrice = (row: number) => (row < pairs || rows <= columns ? prices[row]! : 20);
    const columnPrice = (column: number) => (columns <= rows || column < pairs ? -prices[rows + column]! : 0);
    const extra = seeded(rows * columns, columns);
    const cost = Float32Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return (
        rowPrice(row) + columnPrice(column) + (row === column ? 0 : 1 / 8 + Math.floor(extra[i]! * 40) / 8)
      );
    });
    for (const kernels of backends()) {
      const { columnOfRow } = kernels.assign({ cost, rows, columns });
      expect([...columnOfRow]).toEqual(Array.from({ length: rows }, (_, row) => (row < pairs ? row : -1)));
    }
  });

  it("resolves equal costs alike for any shape and limit", () => {
    const tied = fc.tuple(fc.constantFrom(1, 3, 4, 5, 30), fc.constantFrom(1, 3, 4, 5, 30), fc.integer());
    fc.assert(
      fc.property(tied, fc.constantFrom(undefined, 0, 1, 2, 2.5), ([rows, columns, seed], maxCost) => {
        const cost = seeded(rows * columns, seed).map((u) => (u > 0.9 ? Infinity : Math.floor(u * 4)));
        const options = { cost, rows, columns, ...(maxCost === undefined ? {} : { maxCost }) };
        expect(fast.assign(options)).toEqual(slow.assign(options));
      }),
    );
  });

  it("agrees bit for bit on fine-grained costs", () => {
    for (const [rows, columns, maxCost] of [
      [100, 100, 1],
      [37, 80, 0.2],
      [80, 37, 0.02],
      [128, 128, 0.5],
    ] as const) {
      const options = { cost: seeded(rows * columns, rows), rows, columns, maxCost };
      expect(fast.assign(options)).toEqual(slow.assign(options));
    }
  });
});

describe("the WebAssembly kernels and the reference kernels", () => {
  it("give the same IoU, bit for bit", () => {
    const coordinate = fc.oneof(
      { weight: 30, arbitrary: fc.float({ min: -50, max: 50, noNaN: true }) },
      { weight: 10, arbitrary: fc.integer({ min: 0, max: 8 }) },
      { weight: 1, arbitrary: fc.float() },
    );
    const boxes = fc.integer({ min: 0, max: 9 }).chain((count) => floats(4 * count, coordinate));
    fc.assert(
      fc.property(boxes, boxes, (given, others) => {
        const [got, expected] = [
          fast.boxIou({ boxes: given, others }),
          slow.boxIou({ boxes: given, others }),
        ];
        expect(new Uint32Array(got.buffer)).toEqual(new Uint32Array(expected.buffer));
        for (const iou of got) expect(iou).toBeGreaterThanOrEqual(0);
        for (const iou of got) expect(iou).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it("give the same IoU across windows", () => {
    const boxes = (count: number, seed: number) =>
      seeded(4 * count, seed).map((u, i) => (i % 4 < 2 ? u * 60 : 40 + u * 60));
    const options = { boxes: boxes(203, 1), others: boxes(301, 2) };
    expect(fast.boxIou(options)).toEqual(slow.boxIou(options));
  });

  it("report the same changes for any images", () => {
    const spec = fc.record({
      width: fc.constantFrom(1, 2, 3, 4, 5, 8, 33, 100),
      height: fc.constantFrom(1, 2, 3, 8, 17),
      cell: fc.constantFrom(1, 2, 3, 8, 16, 256),
      threshold: fc.constantFrom(0, 3, 8.5, 40),
    });
    fc.assert(
      fc.property(spec, fc.integer(), (options, seed) => {
        using got = fast.frameDifference(options);
        using expected = slow.frameDifference(options);
        const { width, height } = options;
        for (let frame = 0; frame < 3; frame++) {
          const image = {
            width,
            height,
            data: Uint8Array.from(seeded(4 * width * height, seed + frame), (u) => u * 256),
          };
          expect(got.compare(image)).toEqual(expected.compare(image));
        }
      }),
    );
  });
});
