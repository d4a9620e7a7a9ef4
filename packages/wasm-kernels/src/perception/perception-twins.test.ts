import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKernelSet } from "../module/load-module.ts";
import { perceptionModule } from "./load-perception-kernels.ts";
import type { PerceptionKernels } from "./perception-kernels.ts";
import { referencePerceptionKernels } from "./reference/reference-perception-kernels.ts";
import { noMinScores } from "./wasm/small-batches.ts";

const slow = referencePerceptionKernels();
let fast: PerceptionKernels;
beforeAll(async () => {
  fast = await loadKernelSet("test", { backend: "wasm", candidates: [perceptionModule(noMinScores)] });
});
afterAll(() => fast.dispose());

/** Throws at the first element that differs by Object.is. */
function expectSame(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(got[i], expected[i]))
      throw new Error(`element ${i}: expected ${expected[i]}; got ${got[i]}`);
  }
}

// Lengths that cover every remainder of a four-lane loop.
const awkward = fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 20, 80, 1003);
const positive = awkward.filter((n) => n > 0);
// Scores that are mostly in range and often equal; occasionally any float.
const score = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 16 }).map((n) => n / 16) },
  { weight: 30, arbitrary: fc.float({ min: 0, max: 1, noNaN: true }) },
  { weight: 1, arbitrary: fc.float() },
  { weight: 1, arbitrary: fc.constantFrom(-0, 1.0000001192092896, -1e-45, 1e-45) },
);
const limit = fc.oneof(
  fc.constantFrom(0, 0.1, 0.3, 0.5, 0.7, 0.9, 1, -Infinity, Infinity),
  fc.double({ min: -0.2, max: 1.2, noNaN: true }),
);
const floats = (length: number, value: fc.Arbitrary<number>) =>
  fc
    .array(value, { minLength: length, maxLength: length, size: "max" })
    .map((values) => Float32Array.from(values));
const seeded = (length: number, seed: number) => {
  let state = seed >>> 0;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24,
  );
};
const images = fc.array(awkward, { maxLength: 12 }).chain((lengths) => {
  const offsets = [0];
  for (const length of lengths) offsets.push(offsets.at(-1)! + length);
  return fc.record({
    scores: floats(offsets.at(-1)!, score),
    offsets: fc.constant(Uint32Array.from(offsets)),
  });
});

describe("the WebAssembly kernels and the reference kernels", () => {
  it("mine the same images by box and image thresholds", () => {
    fc.assert(
      fc.property(images, limit, limit, (batch, thresholdBox, thresholdImg) => {
        const options = { ...batch, thresholdBox, thresholdImg };
        expectSame(fast.ibt(options), slow.ibt(options));
      }),
    );
  });

  it("mine the same images by mean score", () => {
    fc.assert(
      fc.property(images, limit, (batch, threshold) => {
        expectSame(fast.threshold({ ...batch, threshold }), slow.threshold({ ...batch, threshold }));
      }),
    );
  });

  it("mine large batches alike across windows", () => {
    const scores = seeded(200_000, 3);
    const offsets = Uint32Array.from({ length: 20_001 }, (_, i) => 7 + Math.floor(i * 9.7));
    const options = { scores, offsets, thresholdBox: 0.5, thresholdImg: 0.5 };
    expectSame(fast.ibt(options), slow.ibt(options));
    expectSame(
      fast.threshold({ ...options, threshold: 0.5 }),
      slow.threshold({ ...options, threshold: 0.5 }),
    );
  });

  it("decide alike by entropy for any values, even near the threshold", () => {
    fc.assert(
      fc.property(
        positive,
        fc.integer({ min: 0, max: 6 }),
        fc.infiniteStream(score),
        (classes, rows, stream) => {
          const probabilities = Float32Array.from({ length: classes * rows }, () => stream.next().value);
          const confidences = new Float32Array(rows);
          slow.crossEntropy({ probabilities, classes, threshold: 0, confidences });
          for (const threshold of [0.5, ...[...confidences].filter((value) => !Number.isNaN(value))]) {
            const options = { probabilities, classes, threshold };
            expectSame(fast.crossEntropy(options), slow.crossEntropy(options));
          }
        },
      ),
    );
  });

  it.each([2, 3, 4, 5, 80, 1003])(
    "give confidences within 1e-6 for rows of %i probabilities that sum to 1",
    (classes) => {
      const rows = 500;
      const probabilities = seeded(rows * classes, classes);
      for (let i = 0; i < rows; i++) {
        // From nearly uniform to nearly one-hot.
        const given = probabilities.subarray(i * classes, (i + 1) * classes);
        const largest = Math.max(...given);
        const row = given.map((p) => (p / largest) ** (1 + (i % 40)));
        const sum = row.reduce((a, b) => a + b, 0);
        probabilities.set(
          row.map((p) => p / sum),
          i * classes,
        );
      }
      const [got, exact] = [new Float32Array(rows), new Float32Array(rows)];
      expectSame(
        fast.crossEntropy({ probabilities, classes, threshold: 0.5, confidences: got }),
        slow.crossEntropy({ probabilities, classes, threshold: 0.5, confidences: exact }),
      );
      const errors = got.map((value, i) => Math.abs(value - exact[i]!));
      expect(Math.max(...errors)).toBeLessThanOrEqual(1e-6);
    },
  );

  it("find the same best classes", () => {
    const rows = fc.record({ classes: positive, cells: fc.integer({ min: 0, max: 6 }) });
    fc.assert(
      fc.property(rows, fc.infiniteStream(score), limit, ({ classes, cells }, stream, threshold) => {
        const scores = Float32Array.from({ length: classes * cells }, () => stream.next().value);
        const [got, expected] = [
          fast.topClass({ scores, classes, threshold }),
          slow.topClass({ scores, classes, threshold }),
        ];
        expectSame(got.index, expected.index);
        expectSame(got.label, expected.label);
        expectSame(got.score, expected.score);
      }),
    );
  });

  it("find the same best classes across windows", () => {
    const options = { scores: seeded(2704 * 80, 5), classes: 80, threshold: 0.99 };
    expect(fast.topClass(options)).toEqual(slow.topClass(options));
  });

  it("find the same peaks", () => {
    const side = fc.constantFrom(1, 2, 3, 4, 5, 17);
    fc.assert(
      fc.property(side, side, fc.infiniteStream(score), limit, (height, width, stream, threshold) => {
        const cells = height * width;
        const heatmap = Float32Array.from({ length: cells }, () => stream.next().value);
        const options = { heatmap, ltrb: seeded(4 * cells, cells), height, width, stride: 8, threshold };
        const [got, expected] = [fast.heatmapPeaks(options), slow.heatmapPeaks(options)];
        expectSame(got.boxes, expected.boxes);
        expectSame(got.scores, expected.scores);
      }),
    );
  });

  it("decode the same boxes, within the stated tolerance", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 8, 11, 17), awkward, fc.integer(), (bins, n, seed) => {
        const distances = seeded(n * 4 * bins, seed).map((u) => u * 30 - 15);
        const cells = Uint32Array.from({ length: n }, (_, i) => n - 1 - i);
        const options = { distances, cells, bins, stride: 32, gridWidth: 7 };
        const [got, expected] = [fast.gflDecode(options), slow.gflDecode(options)];
        got.forEach((value, i) => {
          const tolerance = bins * 32 * 2e-6 + Math.abs(expected[i]!) * 2 ** -22;
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(tolerance);
        });
      }),
    );
  });

  it("keep the same boxes", () => {
    const coordinate = fc.oneof(
      { weight: 40, arbitrary: fc.integer({ min: 0, max: 40 }) },
      { weight: 1, arbitrary: fc.float() },
    );
    const box = fc.tuple(
      coordinate,
      coordinate,
      coordinate,
      coordinate,
      score,
      fc.integer({ min: 0, max: 2 }),
    );
    fc.assert(
      fc.property(
        fc.array(box, { maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 70 }),
        (rows, iouThreshold, maxDetections) => {
          const boxes = Float32Array.from(rows.flatMap(([x, y, w, h]) => [x, y, x + w, y + h]));
          const options = {
            boxes,
            scores: Float32Array.from(rows, (row) => row[4]),
            labels: Uint32Array.from(rows, (row) => row[5]),
            iouThreshold,
            maxDetections,
          };
          expectSame(fast.nms(options), slow.nms(options));
          const { labels: _, ...unlabeled } = options;
          expectSame(fast.nms(unlabeled), slow.nms(unlabeled));
        },
      ),
    );
  });

  it("keep the same boxes of a thousand", () => {
    const boxes = seeded(4 * 1003, 9).map((u, i) => (i % 4 < 2 ? u * 600 : 0));
    seeded(2 * 1003, 10).forEach(
      (u, i) => (boxes[4 * (i >> 1) + 2 + (i % 2)] = boxes[4 * (i >> 1) + (i % 2)]! + u * 150),
    );
    const options = { boxes, scores: seeded(1003, 11), iouThreshold: 0.45 };
    expectSame(fast.nms(options), slow.nms(options));
  });

  it("convert images to the same bits", () => {
    const side = fc.constantFrom(1, 2, 3, 4, 5, 7, 16, 33, 64);
    const size = fc.record({ width: side, height: side });
    const spec = fc.record({
      width: side,
      height: side,
      fit: fc.constantFrom("letterbox", "stretch"),
      layout: fc.constantFrom("nchw", "nhwc"),
      channels: fc.constantFrom("rgb", "bgr"),
      mean: fc.constantFrom([0, 0, 0], [123.675, 116.28, 103.53]),
      std: fc.constantFrom([255, 255, 255], [58.395, 57.12, 57.375]),
      pad: fc.constantFrom(0, 114, [1, 2, 3]),
    });
    fc.assert(
      fc.property(spec, size, fc.integer(), (given, { width, height }, seed) => {
        const options = given as Parameters<PerceptionKernels["imageToTensor"]>[0];
        const image = {
          data: Uint8Array.from(seeded(width * height * 4, seed), (u) => u * 256),
          width,
          height,
        };
        using got = fast.imageToTensor(options);
        using expected = slow.imageToTensor(options);
        expectSame(got.run(image).data, expected.run(image).data);
      }),
    );
  });
});
