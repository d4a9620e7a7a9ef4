import { describe, expect, it } from "vitest";
import type { PerceptionKernels } from "./perception-kernels.ts";

const images = { scores: new Float32Array(4), offsets: Uint32Array.of(0, 4) };
const ibt = { ...images, thresholdBox: 0.5, thresholdImg: 0.5 };
const entropy = { probabilities: new Float32Array(6), classes: 3, threshold: 0.5 };
const gfl = { distances: new Float32Array(88), cells: Uint32Array.of(1), bins: 11, stride: 8, gridWidth: 2 };
const heat = {
  heatmap: new Float32Array(6),
  ltrb: new Float32Array(24),
  height: 2,
  width: 3,
  stride: 8,
  threshold: 0.5,
};
const boxes = { boxes: new Float32Array(8), scores: new Float32Array(2), iouThreshold: 0.5 };

type Call = (kernels: PerceptionKernels) => unknown;
// Wrong types on purpose: JavaScript callers can pass them.
const wrong = (value: unknown) => value as never;

const cases: readonly (readonly [message: string, kind: typeof TypeError | typeof RangeError, call: Call])[] =
  [
    [
      "ibt: expected scores to be a Float32Array; got Array",
      TypeError,
      (k) => k.ibt({ ...ibt, scores: wrong([1]) }),
    ],
    [
      "ibt: expected offsets to be a Uint32Array; got undefined",
      TypeError,
      (k) => k.ibt({ ...ibt, offsets: wrong(undefined) }),
    ],
    [
      "ibt: expected offsets to have at least 1 element; got 0",
      RangeError,
      (k) => k.ibt({ ...ibt, offsets: new Uint32Array(0) }),
    ],
    [
      "ibt: expected offsets to end at most at 4 (scores.length); got 5",
      RangeError,
      (k) => k.ibt({ ...ibt, offsets: Uint32Array.of(0, 5) }),
    ],
    [
      "ibt: expected offsets never to decrease; got offsets[1] = 3, offsets[2] = 2",
      RangeError,
      (k) => k.ibt({ ...ibt, offsets: Uint32Array.of(0, 3, 2) }),
    ],
    [
      "ibt: expected thresholdBox to be a number; got NaN",
      RangeError,
      (k) => k.ibt({ ...ibt, thresholdBox: NaN }),
    ],
    [
      'ibt: expected thresholdImg to be a number; got "0.5"',
      TypeError,
      (k) => k.ibt({ ...ibt, thresholdImg: wrong("0.5") }),
    ],
    [
      "ibt: expected out to have 1 elements; got 2",
      RangeError,
      (k) => k.ibt({ ...ibt, out: new Uint8Array(2) }),
    ],
    [
      "threshold: expected threshold to be a number; got NaN",
      RangeError,
      (k) => k.threshold({ ...images, threshold: NaN }),
    ],
    [
      "crossEntropy: expected classes to be an integer in 1..16777215; got 0",
      RangeError,
      (k) => k.crossEntropy({ ...entropy, classes: 0 }),
    ],
    [
      "crossEntropy: expected probabilities to have a multiple of 4 elements; got 6",
      RangeError,
      (k) => k.crossEntropy({ ...entropy, classes: 4 }),
    ],
    [
      "crossEntropy: expected confidences to have 2 elements; got 3",
      RangeError,
      (k) => k.crossEntropy({ ...entropy, confidences: new Float32Array(3) }),
    ],
    [
      "topClass: expected threshold to be a number; got NaN",
      RangeError,
      (k) => k.topClass({ scores: new Float32Array(4), classes: 2, threshold: NaN }),
    ],
    [
      "gflDecode: expected cells[0] to be below 2 (rows of distances); got 2",
      RangeError,
      (k) => k.gflDecode({ ...gfl, cells: Uint32Array.of(2) }),
    ],
    [
      "gflDecode: expected stride to be positive; got 0",
      RangeError,
      (k) => k.gflDecode({ ...gfl, stride: 0 }),
    ],
    [
      "gflDecode: expected gridWidth to be an integer in 1..2147483647; got 1.5",
      RangeError,
      (k) => k.gflDecode({ ...gfl, gridWidth: 1.5 }),
    ],
    [
      "heatmapPeaks: expected heatmap to have 8 elements; got 6",
      RangeError,
      (k) => k.heatmapPeaks({ ...heat, width: 4 }),
    ],
    [
      "heatmapPeaks: expected ltrb to have 24 elements; got 23",
      RangeError,
      (k) => k.heatmapPeaks({ ...heat, ltrb: new Float32Array(23) }),
    ],
    [
      "nms: expected boxes to have 12 elements; got 8",
      RangeError,
      (k) => k.nms({ ...boxes, scores: new Float32Array(3) }),
    ],
    [
      "nms: expected labels to have 2 elements; got 1",
      RangeError,
      (k) => k.nms({ ...boxes, labels: new Uint32Array(1) }),
    ],
    [
      "nms: expected iouThreshold to be in 0..1; got 45",
      RangeError,
      (k) => k.nms({ ...boxes, iouThreshold: 45 }),
    ],
    [
      "nms: expected maxDetections to be an integer in 1..2147483647; got 0",
      RangeError,
      (k) => k.nms({ ...boxes, maxDetections: 0 }),
    ],
    [
      "imageToTensor: expected width to be an integer in 1..16384; got 0",
      RangeError,
      (k) => k.imageToTensor({ width: 0, height: 4 }),
    ],
    [
      'imageToTensor: expected fit to be "letterbox" or "stretch"; got "cover"',
      RangeError,
      (k) => k.imageToTensor({ width: 4, height: 4, fit: wrong("cover") }),
    ],
    [
      "imageToTensor: expected std[1] to be positive; got 0",
      RangeError,
      (k) => k.imageToTensor({ width: 4, height: 4, std: [1, 0, 1] }),
    ],
    [
      "imageToTensor: expected mean to be [red, green, blue]; got 5",
      TypeError,
      (k) => k.imageToTensor({ width: 4, height: 4, mean: wrong(5) }),
    ],
    [
      "source: expected height to be an integer in 1..16384; got -1",
      RangeError,
      (k) => k.imageToTensor({ width: 4, height: 4 }).source({ width: 4, height: -1 }),
    ],
    [
      "run: expected data to have 2 x 2 x 4 elements; got 15",
      RangeError,
      (k) => k.imageToTensor({ width: 4, height: 4 }).run({ data: new Uint8Array(15), width: 2, height: 2 }),
    ],
  ];

/**
 * Tests that every backend throws the same errors for invalid input. `make` creates kernels that the test may
 * dispose.
 */
export function errorsSuite({
  kernels,
  make,
}: {
  kernels: () => PerceptionKernels;
  make: () => Promise<PerceptionKernels>;
}): void {
  describe("bad input", () => {
    it.each(cases)("throws: %s", (message, kind, call) => {
      const attempt = () => call(kernels());
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(kind);
    });

    it("does not modify the output", () => {
      const out = new Uint8Array(2).fill(7);
      expect(() => kernels().ibt({ ...ibt, offsets: Uint32Array.of(0, 4, 9), out })).toThrow(RangeError);
      expect([...out]).toEqual([7, 7]);
    });
  });

  describe("dispose()", () => {
    it("makes every later call throw, including calls of converters", async () => {
      const own = await make();
      const converter = own.imageToTensor({ width: 4, height: 4 });
      own.dispose();
      own[Symbol.dispose]();
      expect(() => own.ibt(ibt)).toThrow("ibt: expected kernels in use; got disposed ones");
      expect(() => converter.source({ width: 2, height: 2 })).toThrow(
        "source: expected kernels in use; got disposed ones",
      );
    });
  });
}
