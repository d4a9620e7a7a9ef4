import { describe, expect, it } from "vitest";
import type { PerceptionKernels } from "./perception-kernels.ts";

const f32 = (...values: number[]) => Float32Array.from(values);
const u32 = (...values: number[]) => Uint32Array.from(values);

/** Tests that the detection kernels of every backend must pass. */
export function detectionsSuite(kernels: () => PerceptionKernels): void {
  describe("topClass()", () => {
    it("keeps the cells whose best class reaches the threshold", () => {
      const scores = f32(0.1, 0.2, 0.3, 0.9, 0.1, 0.5, 0.5, 0.5, 0.2);
      const kept = kernels().topClass({ scores, classes: 3, threshold: 0.5 });
      expect(kept).toEqual({ index: u32(1, 2), label: u32(0, 0), score: f32(0.9, 0.5) });
    });

    it("compares f32 scores with an f64 threshold exactly", () => {
      const at = (threshold: number) =>
        kernels().topClass({ scores: f32(0.1, 0.7), classes: 1, threshold }).index;
      expect(at(0.1)).toEqual(u32(0, 1));
      expect(at(0.7)).toEqual(u32());
      expect(at(Math.fround(0.7))).toEqual(u32(1));
    });

    it("never selects a NaN score", () => {
      const scores = f32(NaN, 0.5, NaN, NaN, NaN, NaN, NaN, NaN, NaN, -Infinity);
      expect(kernels().topClass({ scores, classes: 5, threshold: -Infinity })).toEqual({
        index: u32(0, 1),
        label: u32(1, 4),
        score: f32(0.5, -Infinity),
      });
    });

    it("accepts rows longer than a window", () => {
      const scores = new Float32Array(2 * 40_001);
      scores[40_000] = 0.5;
      scores[40_001 + 39_999] = 0.75;
      expect(kernels().topClass({ scores, classes: 40_001, threshold: 0.5 })).toEqual({
        index: u32(0, 1),
        label: u32(40_000, 39_999),
        score: f32(0.5, 0.75),
      });
    });
  });

  describe("gflDecode()", () => {
    it("places a box around the center of the cell, at the expected bin of each side", () => {
      const sure = (bin: number) => Array.from({ length: 11 }, (_, i) => (i === bin ? 200 : 0));
      const row = [sure(1), sure(2), sure(3), sure(10)].flat();
      const distances = f32(...Array(44).fill(0), ...Array(44).fill(0), ...row);
      const boxes = kernels().gflDecode({ distances, cells: u32(2, 0), bins: 11, stride: 8, gridWidth: 2 });
      // Cell 2 is (0, 1), so its center is (4, 12). Uniform logits have the expected bin 5, which is 40
      // pixels.
      expect([...boxes]).toEqual([4 - 8, 12 - 16, 4 + 24, 12 + 80, 4 - 40, 4 - 40, 4 + 40, 4 + 40]);
    });

    it("decodes no cells to no boxes", () => {
      const none = kernels().gflDecode({ distances: f32(), cells: u32(), bins: 11, stride: 8, gridWidth: 2 });
      expect(none).toEqual(f32());
    });
  });

  describe("heatmapPeaks()", () => {
    it("returns a box for each peak", () => {
      const heatmap = f32(0.1, 0.2, 0.1, 0.1, 0.9, 0.8, 0.1, 0.2, 0.1);
      const ltrb = f32(...[1, 2, 3, 4].flatMap((side) => Array(9).fill(side)));
      const peaks = kernels().heatmapPeaks({
        heatmap,
        ltrb,
        height: 3,
        width: 3,
        stride: 8,
        threshold: 0.15,
      });
      expect(peaks).toEqual({ boxes: f32(12 - 1, 12 - 2, 12 + 3, 12 + 4), scores: f32(0.9) });
    });

    it("finds peaks at the edges and corners", () => {
      const heatmap = f32(5, 1, 1, 5, 1, 1, 1, 1, 5, 1, 1, 5);
      const ltrb = new Float32Array(48);
      const { scores, boxes } = kernels().heatmapPeaks({
        heatmap,
        ltrb,
        height: 3,
        width: 4,
        stride: 2,
        threshold: 5,
      });
      expect(scores).toEqual(f32(5, 5, 5, 5));
      expect([...boxes]).toEqual([1, 1, 1, 1, 7, 1, 7, 1, 1, 5, 1, 5, 7, 5, 7, 5]);
    });

    it("treats equal neighbors as peaks and NaN as no peak", () => {
      const { scores } = kernels().heatmapPeaks({
        heatmap: f32(3, 3, NaN, 2, 4),
        ltrb: new Float32Array(20),
        height: 1,
        width: 5,
        stride: 1,
        threshold: 0,
      });
      expect(scores).toEqual(f32(3, 3, 4));
    });
  });

  describe("nms()", () => {
    const boxes = f32(0, 0, 10, 10, 1, 0, 11, 10, 20, 0, 30, 10, 0, 0, 10, 9);

    it("keeps the best of overlapping boxes, best first", () => {
      const scores = f32(0.5, 0.9, 0.7, 0.6);
      expect(kernels().nms({ boxes, scores, iouThreshold: 0.5 })).toEqual(u32(1, 2));
    });

    it("allows boxes of different classes to overlap", () => {
      const options = { boxes, scores: f32(0.5, 0.9, 0.7, 0.6), labels: u32(1, 2, 1, 1), iouThreshold: 0.5 };
      expect(kernels().nms(options)).toEqual(u32(1, 2, 3));
    });

    it("prefers the lower index among equal scores", () => {
      expect(kernels().nms({ boxes, scores: f32(0.5, 0.5, 0.5, 0.5), iouThreshold: 0.5 })).toEqual(u32(0, 2));
    });

    it("suppresses a box above the threshold but not at the threshold", () => {
      const twins = f32(0, 0, 2, 1, 1, 0, 3, 1, 0, 0, 2, 1);
      const run = (iouThreshold: number) => [
        ...kernels().nms({ boxes: twins, scores: f32(3, 2, 1), iouThreshold }),
      ];
      expect(run(1)).toEqual([0, 1, 2]);
      // 1/3 as f32 is greater than 1/3 as f64.
      expect(run(1 / 3)).toEqual([0]);
      expect(run(Math.fround(1 / 3))).toEqual([0, 1]);
    });

    it("stops at maxDetections", () => {
      expect(
        kernels().nms({ boxes, scores: f32(0.5, 0.9, 0.7, 0.6), iouThreshold: 1, maxDetections: 2 }),
      ).toEqual(u32(1, 2));
    });

    it("never keeps a box whose score is NaN or -Infinity", () => {
      expect(kernels().nms({ boxes, scores: f32(NaN, -Infinity, -1, Infinity), iouThreshold: 0.5 })).toEqual(
        u32(3, 2),
      );
    });

    it("returns no boxes for empty input", () => {
      expect(kernels().nms({ boxes: f32(), scores: f32(), iouThreshold: 0.5 })).toEqual(u32());
    });
  });
}
