import { describe, expect, it } from "vitest";
import type { ModelUpdate } from "./model-update.ts";
import type { VectorKernels } from "./vector-kernels.ts";

const f32 = (...values: number[]): ModelUpdate => ({ encoding: "f32", values: Float32Array.from(values) });
const int8 = (scale: number, ...values: number[]): ModelUpdate => ({
  encoding: "int8",
  values: Int8Array.from(values),
  scale,
});
/** 1, -2, and 2^-24, the smallest positive half-precision number. */
const f16: ModelUpdate = { encoding: "f16", values: Uint16Array.of(0x3c00, 0xc000, 0x0001) };
const topk: ModelUpdate = { encoding: "topk", indices: Uint32Array.of(0, 2), values: Float32Array.of(3, -1) };
// Wrong types on purpose: JavaScript callers can pass them.
const wrong = (value: unknown) => value as never;

/** Tests that the averaging kernels of every backend must pass. */
export function averagingSuite(kernels: () => VectorKernels): void {
  describe.each(["f32", "f64"] as const)("weightedMean() with an %s accumulator", (accumulator) => {
    const mean = (length = 3) => kernels().weightedMean({ length, accumulator });

    it("weights clients by their sample count", () => {
      using sum = mean();
      sum.add(f32(0, 4, -8), { weight: 1 });
      sum.add(f32(1, 0, 8), { weight: 3 });
      expect([...sum.result()]).toEqual([0.75, 1, 4]);
      expect({ count: sum.count, totalWeight: sum.totalWeight }).toEqual({ count: 2, totalWeight: 4 });
    });

    it("averages updates of all encodings together", () => {
      using sum = mean();
      for (const update of [f32(1, 2, 3), f16, int8(0.5, 2, -4, 127), topk]) sum.add(update, { weight: 2 });
      expect([...sum.result()].map((x) => Math.fround(4 * x))).toEqual([
        1 + 1 + 1 + 3,
        2 - 2 - 2,
        Math.fround(3 + 2 ** -24 + 63.5 - 1),
      ]);
    });

    it("returns the norm of each update", () => {
      using sum = mean();
      expect(sum.add(f32(3, 4, 0), { weight: 1 })).toEqual({ l2Norm: 5 });
      expect(sum.add(int8(0.5, 6, -8, 0), { weight: 1 }).l2Norm).toBe(5);
      expect(sum.add(topk, { weight: 1 }).l2Norm).toBe(Math.sqrt(10));
    });

    it("scales an update whose norm exceeds clipNorm down to clipNorm and leaves a smaller update unchanged", () => {
      using sum = mean();
      sum.add(f32(3, 4, 0), { weight: 1, clipNorm: 2.5 });
      sum.add(f32(0, 0, 1), { weight: 1, clipNorm: 2.5 });
      expect([...sum.result()]).toEqual([0.75, 1, 0.5]);
    });

    it.each([NaN, Infinity, -Infinity])(
      "rejects an update with %s at any position and leaves the mean unchanged",
      (odd) => {
        using sum = mean(1003);
        sum.add({ encoding: "f32", values: new Float32Array(1003).fill(2) }, { weight: 1 });
        for (const at of [0, 1, 500, 1002]) {
          const values = new Float32Array(1003).fill(1);
          values[at] = odd;
          expect(() => sum.add({ encoding: "f32", values }, { weight: 1 })).toThrow(
            new RangeError(
              "add: expected every number of the update to be finite; got NaN or an infinity among them",
            ),
          );
        }
        expect(sum.count).toBe(1);
        expect(new Set(sum.result())).toEqual(new Set([2]));
      },
    );

    it.each([1, 15, 16, 17, 1003])(
      "gives the same bits for %i values in an update buffer and in other memory",
      (length) => {
        const values = Float32Array.from({ length }, (_, i) => Math.sin(i + 1));
        using room = kernels().updateBuffer({ bytes: 24 + 4 * length });
        using received = mean(length);
        using elsewhere = mean(length);
        for (const weight of [1, 3]) {
          const bytes = room.bytes();
          const there = new Float32Array(bytes.buffer, bytes.byteOffset + 24, length);
          there.set(values);
          expect(received.add({ encoding: "f32", values: there }, { weight }).l2Norm).toBeCloseTo(
            elsewhere.add({ encoding: "f32", values }, { weight }).l2Norm,
            12,
          );
        }
        expect(received.result()).toEqual(elsewhere.result());
        new Float32Array(room.bytes().buffer, room.bytes().byteOffset + 24, length)[length - 1] = NaN;
        expect(() =>
          received.add(
            {
              encoding: "f32",
              values: new Float32Array(room.bytes().buffer, room.bytes().byteOffset + 24, length),
            },
            { weight: 1 },
          ),
        ).toThrow("finite");
        expect(received.result()).toEqual(elsewhere.result());
      },
    );

    it("rejects infinite half-precision and sparse values", () => {
      using sum = mean();
      expect(() => sum.add({ encoding: "f16", values: Uint16Array.of(0, 0x7c00, 0) }, { weight: 1 })).toThrow(
        "finite",
      );
      expect(() =>
        sum.add(
          { encoding: "topk", indices: Uint32Array.of(1), values: Float32Array.of(NaN) },
          { weight: 1 },
        ),
      ).toThrow("finite");
      expect(sum.count).toBe(0);
    });

    it("adds an update that was written into its own buffer", () => {
      using sum = mean(70_003);
      for (const value of [1, 3]) {
        const values = sum.incoming();
        values.fill(value);
        sum.add({ encoding: "f32", values }, { weight: 1 });
      }
      expect(new Set(sum.result())).toEqual(new Set([2]));
    });

    it("accepts updates of every encoding in its own buffer", () => {
      using sum = mean(4);
      const room = sum.incoming().fill(9);
      room.set([3, 4]);
      expect(
        sum.add(
          { encoding: "topk", values: room.subarray(0, 2), indices: Uint32Array.of(1, 2) },
          { weight: 1 },
        ),
      ).toEqual({ l2Norm: 5 });
      const bytes = new Int8Array(room.buffer, room.byteOffset, 4);
      bytes.set([1, 2, 3, 4]);
      sum.add({ encoding: "int8", values: bytes, scale: 1 }, { weight: 1 });
      expect([...sum.result()]).toEqual([0.5, 2.5, 3.5, 2]);
    });

    it("divides in f64: equal updates average to themselves", () => {
      for (const clients of [41, 47, 55, 61, 82]) {
        using sum = mean(1);
        for (let i = 0; i < clients; i++) sum.add(f32(1), { weight: 1 });
        expect(sum.result()[0]).toBe(1);
      }
    });

    it("rejects weights that would overflow", () => {
      using sum = mean(1);
      sum.add(f32(2), { weight: 1e308 });
      expect(() => sum.add(f32(2), { weight: 1e308 })).toThrow(RangeError);
      using small = mean(1);
      small.add(f32(2), { weight: 1e-20 });
      expect(() => small.add(f32(2), { weight: 1e20 })).toThrow(
        "add: expected weight to be within 1e38 times the first, 1e-20",
      );
      expect([sum.count, small.count]).toEqual([1, 1]);
    });

    it("behaves like a new mean after reset", () => {
      using sum = mean();
      sum.add(f32(9, 9, 9), { weight: 7 });
      sum.reset();
      expect(() => sum.result()).toThrow("result: expected at least one update to have been added; got none");
      sum.add(f32(1, 2, 3), { weight: 2 });
      expect([...sum.result()]).toEqual([1, 2, 3]);
    });

    it("adds an update that is longer than one window", () => {
      const length = 40_001;
      using sum = mean(length);
      const values = Float32Array.from({ length }, (_, i) => i % 97);
      sum.add({ encoding: "f32", values }, { weight: 5 });
      sum.add({ encoding: "int8", values: Int8Array.from(values), scale: 1 }, { weight: 5 });
      expect(sum.result()).toEqual(values);
    });
  });

  describe("updateBucket()", () => {
    const bucket = (
      updates: readonly ModelUpdate[],
      { length = 3, weights = updates.map(() => 1) }: { length?: number; weights?: number[] } = {},
    ) => {
      const made = kernels().updateBucket({
        length,
        capacity: updates.length,
        encoding: updates[0]!.encoding,
      });
      updates.forEach((update, i) => made.add(update, { weight: weights[i]! }));
      return made;
    };

    it("weights clients by their sample count", () => {
      using two = bucket([f32(0, 4, -8), f32(1, 0, 8)], { weights: [1, 3] });
      expect([...two.mean()]).toEqual([0.75, 1, 4]);
    });

    it.each([1, 2, 3, 4, 5, 6, 9, 10, 11, 20, 21])("averages %i clients of each encoding", (clients) => {
      const each = (update: ModelUpdate) => {
        using many = bucket(Array.from({ length: clients }, () => update));
        return [...many.mean()].map((x) => Math.round(x * 1e4) / 1e4);
      };
      expect(each(f32(1, -2, 0.5))).toEqual([1, -2, 0.5]);
      expect(each(f16)).toEqual([1, -2, 0]);
      expect(each(int8(0.25, 4, -8, 127))).toEqual([1, -2, 31.75]);
      expect(each(topk)).toEqual([3, 0, -1]);
    });

    it("clips updates whose norm exceeds clipNorm", () => {
      using two = bucket([f32(3, 4, 0), f32(0, 0, 1)]);
      expect([...two.mean({ clipNorm: 2.5 })]).toEqual([0.75, 1, 0.5]);
    });

    it("returns the median of odd and even counts", () => {
      using odd = bucket([f32(1, 9, -1), f32(3, 7, 5), f32(2, 8, 1e9)]);
      expect([...odd.median()]).toEqual([2, 8, 5]);
      using even = bucket([f32(1, 9, -1), f32(3, 7, 5), f32(2, 8, 1e9), f32(40, -50, 4)]);
      expect([...even.median()]).toEqual([2.5, 7.5, 4.5]);
    });

    it("returns the mean without the outliers", () => {
      using five = bucket([
        f32(1, 2, 3),
        f32(2, 3, 4),
        f32(3, 4, 5),
        f32(-1e9, 1e9, 1e9),
        f32(1e9, -1e9, -1e9),
      ]);
      expect([...five.trimmedMean({ trim: 1 })]).toEqual([2, 3, 4]);
      expect([...five.trimmedMean({ trim: 0 })].every(Number.isFinite)).toBe(true);
      expect(() => five.trimmedMean({ trim: 3 })).toThrow(
        new RangeError("trimmedMean: expected trim to be an integer in 0..2; got 3"),
      );
    });

    it("accepts an update that was written in place", () => {
      using own = kernels().updateBucket({ length: 3, capacity: 2, encoding: "topk", entries: 2 });
      const room = own.incoming();
      if (room.encoding !== "topk") throw new Error("expected a buffer of the bucket's own encoding");
      room.indices.set([2]);
      room.values.set([5]);
      own.add(
        { encoding: "topk", indices: room.indices.subarray(0, 1), values: room.values.subarray(0, 1) },
        { weight: 1 },
      );
      own.add(topk, { weight: 1 });
      expect([...own.mean()]).toEqual([1.5, 0, 2]);
    });

    it("accepts an update in another object's buffer, even if memory grows in the meantime", () => {
      const length = 100_000;
      using sum = kernels().weightedMean({ length });
      using own = kernels().updateBucket({ length, capacity: 2 });
      const room = own.incoming().values as Float32Array;
      room.fill(3);
      sum.add({ encoding: "f32", values: room }, { weight: 1 });
      own.add({ encoding: "f32", values: room }, { weight: 1 });
      sum.add({ encoding: "f32", values: own.mean() }, { weight: 1 });
      expect(new Set(sum.result())).toEqual(new Set([3]));
    });

    it("adds 20000 updates quickly", () => {
      using many = kernels().updateBucket({ length: 1, capacity: 20_000 });
      for (let i = 0; i < 20_000; i++) many.add(f32(i % 2), { weight: 1 });
      expect(many.mean()[0]).toBeCloseTo(0.5, 3);
    });

    it("rejects a non-finite update, keeps earlier updates, and rejects updates beyond its capacity", () => {
      using full = kernels().updateBucket({ length: 3, capacity: 2 });
      full.add(f32(1, 1, 1), { weight: 1 });
      expect(() => full.add(f32(1, NaN, 1), { weight: 1 })).toThrow(RangeError);
      full.add(f32(3, 3, 3), { weight: 1 });
      expect([...full.mean()]).toEqual([2, 2, 2]);
      expect(() => full.add(f32(1, 1, 1), { weight: 1 })).toThrow(
        new RangeError("add: expected at most 2 updates (capacity); got one more"),
      );
      full.reset();
      full.add(f32(4, 4, 4), { weight: 1 });
      expect([...full.median()]).toEqual([4, 4, 4]);
    });
  });

  const cases: readonly (readonly [
    message: string,
    kind: typeof TypeError | typeof RangeError,
    call: (kernels: VectorKernels) => unknown,
  ])[] = [
    [
      "weightedMean: expected length to be an integer in 1..1073741823; got 0",
      RangeError,
      (k) => k.weightedMean({ length: 0 }),
    ],
    [
      'weightedMean: expected accumulator to be "f32" or "f64"; got "f16"',
      RangeError,
      (k) => k.weightedMean({ length: 1, accumulator: wrong("f16") }),
    ],
    [
      "add: expected update.encoding to be one of f32, f16, int8, topk; got undefined",
      TypeError,
      (k) => k.weightedMean({ length: 1 }).add(wrong(new Float32Array(1)), { weight: 1 }),
    ],
    [
      "add: expected update.values to have 2 elements; got 3",
      RangeError,
      (k) => k.weightedMean({ length: 2 }).add(f32(1, 2, 3), { weight: 1 }),
    ],
    [
      "add: expected update.values to be a Uint16Array; got Float32Array",
      TypeError,
      (k) =>
        k
          .weightedMean({ length: 1 })
          .add({ encoding: "f16", values: wrong(new Float32Array(1)) }, { weight: 1 }),
    ],
    [
      "add: expected weight to be above 0; got 0",
      RangeError,
      (k) => k.weightedMean({ length: 1 }).add(f32(1), { weight: 0 }),
    ],
    [
      "add: expected weight to be finite; got Infinity",
      RangeError,
      (k) => k.weightedMean({ length: 1 }).add(f32(1), { weight: Infinity }),
    ],
    [
      "add: expected clipNorm to be above 0; got -1",
      RangeError,
      (k) => k.weightedMean({ length: 1 }).add(f32(1), { weight: 1, clipNorm: -1 }),
    ],
    [
      "add: expected update.scale to be a number; got NaN",
      RangeError,
      (k) => k.weightedMean({ length: 1 }).add(int8(NaN, 1), { weight: 1 }),
    ],
    [
      "add: expected update.indices to ascend; got indices[0] = 2, indices[1] = 2",
      RangeError,
      (k) =>
        k
          .weightedMean({ length: 3 })
          .add(
            { encoding: "topk", indices: Uint32Array.of(2, 2), values: Float32Array.of(1, 1) },
            { weight: 1 },
          ),
    ],
    [
      "add: expected update.indices to be below 3; got 3",
      RangeError,
      (k) =>
        k
          .weightedMean({ length: 3 })
          .add({ encoding: "topk", indices: Uint32Array.of(3), values: Float32Array.of(1) }, { weight: 1 }),
    ],
    [
      "add: expected update.scale to be at least 0 and small enough",
      RangeError,
      (k) => k.weightedMean({ length: 1 }).add(int8(3e38, 1), { weight: 1 }),
    ],
    [
      "add: expected weight to be a number; got undefined",
      TypeError,
      (k) => k.weightedMean({ length: 1 }).add(f32(1), wrong(undefined)),
    ],
    [
      "trimmedMean: expected at least one update",
      RangeError,
      (k) => k.updateBucket({ length: 1, capacity: 1 }).trimmedMean(wrong(undefined)),
    ],
    [
      "updateBucket: expected capacity to be an integer in 1..65535; got 0",
      RangeError,
      (k) => k.updateBucket({ length: 1, capacity: 0 }),
    ],
    [
      'add: expected an update of encoding "f32"; got "int8"',
      RangeError,
      (k) => k.updateBucket({ length: 1, capacity: 1 }).add(int8(1, 1), { weight: 1 }),
    ],
    [
      "mean: expected at least one update to have been added; got none",
      RangeError,
      (k) => k.updateBucket({ length: 1, capacity: 1 }).mean(),
    ],
  ];

  describe("averaging with invalid input", () => {
    it.each(cases)("throws: %s", (message, kind, call) => {
      const attempt = () => call(kernels());
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(kind);
    });
  });
}
