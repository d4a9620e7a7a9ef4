import { describe, expect, it } from "vitest";
import type { PerceptionKernels } from "./perception-kernels.ts";

/** Returns f32 scores in CSR form. Each argument holds the scores of one image. */
export function batch(...images: readonly (readonly number[])[]) {
  const offsets = [0];
  for (const image of images) offsets.push(offsets.at(-1)! + image.length);
  return { scores: Float32Array.from(images.flat()), offsets: Uint32Array.from(offsets) };
}

/** Tests that the hard example filters of every backend must pass. */
export function hardExamplesSuite(kernels: () => PerceptionKernels): void {
  const ibt = (images: number[][], thresholds: { thresholdBox: number; thresholdImg: number }) => [
    ...kernels().ibt({ ...batch(...images), ...thresholds }),
  ];

  describe("ibt()", () => {
    const half = { thresholdBox: 0.5, thresholdImg: 0.5 };

    it("marks an image as hard if enough of its boxes have low scores", () => {
      expect(ibt([[0.9], [0.1], [0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.9, 0.1]], half)).toEqual([0, 1, 1, 0]);
    });

    it("counts a score equal to the box threshold as low", () => {
      expect(ibt([[0.5], [0.500001]], half)).toEqual([1, 0]);
    });

    it("compares f32 scores with f64 thresholds exactly", () => {
      const tenth = Math.fround(0.1); // a little more than 0.1
      expect(ibt([[tenth]], { thresholdBox: 0.1, thresholdImg: 0.5 })).toEqual([0]);
      expect(ibt([[tenth]], { thresholdBox: tenth, thresholdImg: 0.5 })).toEqual([1]);
      expect(ibt([[Math.fround(0.3)]], { thresholdBox: 0.3, thresholdImg: 0.5 })).toEqual([0]);
    });

    it("computes 1 - thresholdImg in f64, as Sedna does", () => {
      const low = (count: number) => Array.from({ length: 10 }, (_, i) => (i < count ? 0.1 : 0.9));
      expect(ibt([low(3), low(4)], { thresholdBox: 0.5, thresholdImg: 0.7 })).toEqual([0, 1]);
      expect(ibt([low(1), low(0)], { thresholdBox: 0.5, thresholdImg: 0.9 })).toEqual([1, 0]);
    });

    it("marks an image without boxes as easy, even if every image with boxes is hard", () => {
      expect(ibt([[], [0.9], []], { thresholdBox: 0, thresholdImg: 2 })).toEqual([0, 1, 0]);
    });

    it.each([-0.1, 1.0000002, NaN, Infinity, -Infinity, -1e-45])(
      "marks an image with the score %s at any position as easy",
      (odd) => {
        const images = Array.from({ length: 9 }, (_, at) =>
          Array.from({ length: 9 }, (_, i) => (i === at ? odd : 0.1)),
        );
        expect(ibt(images, half)).toEqual(Array(9).fill(0));
      },
    );

    it("accepts -0, 0 and 1", () => {
      expect(ibt([[-0, 0, 0, 1]], half)).toEqual([1]);
    });

    it("reads images at the given offsets and writes to the given output", () => {
      const out = new Uint8Array(2).fill(7);
      const scores = Float32Array.of(9, 9, 0.1, 0.9, 9);
      expect(kernels().ibt({ scores, offsets: Uint32Array.of(2, 3, 4), ...half, out })).toBe(out);
      expect([...out]).toEqual([1, 0]);
    });

    it("returns an empty array for an empty batch", () => {
      expect(ibt([], half)).toEqual([]);
    });

    it("accepts an image larger than a window", () => {
      const many = new Float32Array(100_003).fill(0.9);
      many.fill(0.1, 50_000);
      const offsets = Uint32Array.of(0, 3, 100_003);
      expect([...kernels().ibt({ scores: many, offsets, ...half })]).toEqual([0, 1]);
    });
  });

  describe("threshold()", () => {
    const threshold = (images: number[][], limit: number) => [
      ...kernels().threshold({ ...batch(...images), threshold: limit }),
    ];

    it("marks an image as hard if its mean score is below the threshold", () => {
      expect(threshold([[0.25, 0.5], [0.25, 0.75], [0.75]], 0.5)).toEqual([1, 0, 0]);
    });

    it("does not check the range of scores", () => {
      expect(threshold([[7, -20], [Infinity], [-Infinity], [NaN]], 0.5)).toEqual([1, 0, 1, 0]);
    });

    it("marks an image without boxes as easy", () => {
      expect(threshold([[], []], Infinity)).toEqual([0, 0]);
    });

    it("sums in f64, left to right", () => {
      const scores = [1e30, 1, -1e30, 0.25];
      const sum = scores.reduce((a, b) => a + Math.fround(b), 0);
      expect(threshold([scores], sum / 4)).toEqual([0]);
      expect(threshold([scores], 0.1)).toEqual([1]);
    });
  });

  describe("resident()", () => {
    it("gives the same results as the caller's own arrays, even if memory grows in the meantime", () => {
      const [images, boxes, classes] = [5000, 7, 3];
      const next = (i: number) => ((i * 7919) % 1009) / 1008;
      using own = kernels().resident(images * boxes);
      const offsets = Uint32Array.from({ length: images + 1 }, (_, i) => i * boxes);
      const scores = Float32Array.from({ length: own.length }, (_, i) => next(i));
      own.values().set(scores);
      const thresholds = { offsets, thresholdBox: 0.5, thresholdImg: 0.5 };
      expect(kernels().ibt({ ...thresholds, scores: own.values() })).toEqual(
        kernels().ibt({ ...thresholds, scores }),
      );
      expect(kernels().threshold({ offsets, threshold: 0.5, scores: own.values() })).toEqual(
        kernels().threshold({ offsets, threshold: 0.5, scores }),
      );
      const probabilities = scores.subarray(0, images * classes).map((value) => value / 2);
      own.values().set(probabilities);
      const entropy = { classes, threshold: 0.3 };
      expect(
        kernels().crossEntropy({ ...entropy, probabilities: own.values().subarray(0, probabilities.length) }),
      ).toEqual(kernels().crossEntropy({ ...entropy, probabilities }));
    });

    it("starts as zeros and throws after it is disposed", () => {
      const own = kernels().resident(3);
      expect([...own.values()]).toEqual([0, 0, 0]);
      own.dispose();
      own.dispose();
      expect(() => own.values()).toThrow("values: expected resident floats in use; got disposed ones");
      expect(() => kernels().resident(0)).toThrow(
        new RangeError("resident: expected length to be an integer in 1..1073741823; got 0"),
      );
    });
  });

  describe("crossEntropy()", () => {
    const mine = (rows: number[][], threshold: number) => {
      const confidences = new Float32Array(rows.length);
      const probabilities = Float32Array.from(rows.flat());
      const out = kernels().crossEntropy({ probabilities, classes: rows[0]!.length, threshold, confidences });
      return { hard: [...out], confidences: [...confidences] };
    };

    it("is confident of one-hot rows and not of uniform rows", () => {
      expect(
        mine(
          [
            [0, 1, 0, -0],
            [0.25, 0.25, 0.25, 0.25],
          ],
          0.5,
        ),
      ).toEqual({ hard: [0, 1], confidences: [1, 0] });
    });

    it("matches Sedna's value for [0.1, 0.1]", () => {
      expect(mine([[0.1, 0.1]], 0.5).confidences[0]).toBeCloseTo(1 + (2 * 0.1 * Math.log(0.1)) / Math.LN2, 6);
    });

    it("compares strictly", () => {
      expect(mine([[1, 0]], 1).hard).toEqual([0]);
      expect(mine([[0.5, 0.5]], 0).hard).toEqual([0]);
      expect(mine([[0.5, 0.5]], 1e-12).hard).toEqual([1]);
    });

    it.each([-0.1, 1.0000002, NaN, Infinity])(
      "returns NaN as the confidence if a value is %s and marks the sample as easy",
      (odd) => {
        for (let at = 0; at < 7; at++) {
          const row = Array.from({ length: 7 }, (_, i) => (i === at ? odd : 0.1));
          expect(mine([row], Infinity)).toEqual({ hard: [0], confidences: [NaN] });
        }
      },
    );

    it("marks a sample of a single class as easy", () => {
      expect(mine([[0.3], [1]], 5)).toEqual({ hard: [0, 0], confidences: [NaN, NaN] });
    });

    it("returns an empty array for an empty batch", () => {
      const options = { probabilities: new Float32Array(0), classes: 3, threshold: 0.5 };
      expect(kernels().crossEntropy(options)).toEqual(new Uint8Array(0));
    });
  });
}
