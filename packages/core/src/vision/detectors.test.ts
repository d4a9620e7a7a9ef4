import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { createOnnxEstimator } from "../estimator/onnx-estimator.ts";
import { onnxRuntime, type OrtModule } from "../adapters/onnx-runtime.ts";
import type { Task } from "../estimator/task.ts";
import type { Detections } from "./detections.ts";
import type { Frame } from "./frame.ts";
import { heatmapDetector } from "./heatmap-detector.ts";
import { nanodet } from "./nanodet.ts";
import { pixelsFrame } from "../adapters/sharp-images.ts";

// Runs the detectors on the vendored models. Browser tests run them on the video, because a browser can
// decode it.

const runtime = onnxRuntime(ort as unknown as OrtModule, { executionProviders: ["cpu"] });
const open = (name: string) => async () => ({
  runtime,
  model: await readFile(new URL(`../../../../models/${name}/model.onnx`, import.meta.url)),
});
const grey = (width: number, height: number): Frame =>
  pixelsFrame({ width, height, data: new Uint8Array(4 * width * height).fill(128) });
const empty: Frame = {
  width: 0,
  height: 0,
  timestamp: 0,
  copyTo: async () => {},
  encode: () => Promise.reject(new Error("not needed")),
  close() {},
};

describe.each<
  [string, string, (options?: { threshold?: number; iouThreshold?: number }) => Task<Frame, Detections>]
>([
  ["heatmapDetector", "tiny-person", heatmapDetector],
  ["nanodet", "nanodet-g-416", nanodet],
])("%s on %s", (name, model, task) => {
  it("finds no person in a gray image of any size", async () => {
    const estimator = createOnnxEstimator({ open: open(model), task: task({ threshold: 0.5 }) });
    for (const [width, height] of [
      [768, 576],
      [1, 1],
      [3, 1000],
    ] as const)
      expect(await estimator.predict(grey(width, height))).toEqual([]);
    await estimator.dispose();
  });

  it("returns rows inside the image, best first", async () => {
    const estimator = createOnnxEstimator({ open: open(model), task: task({ threshold: 0.001 }) });
    const rows = await estimator.predict(grey(320, 200));
    expect(rows.length).toBeGreaterThan(0);
    for (const [x1, y1, x2, y2, score] of rows) {
      expect(x1 >= 0 && y1 >= 0 && x2 <= 320 && y2 <= 200 && x1 <= x2 && y1 <= y2).toBe(true);
      expect(score).toBeGreaterThanOrEqual(0.001);
    }
    expect(rows.map((row) => row[4])).toEqual(rows.map((row) => row[4]).toSorted((a, b) => b - a));
    await estimator.dispose();
  });

  it("rejects a frame of zero size, and accepts the next one", async () => {
    const estimator = createOnnxEstimator({ open: open(model), task: task() });
    await expect(estimator.predict(empty)).rejects.toThrow(
      new RangeError(`run ${name}: expected a picture of at least 1x1; got 0x0`),
    );
    expect(await estimator.predict(grey(8, 8))).toEqual(expect.any(Array));
    await estimator.dispose();
  });

  it.each([{ threshold: Number.NaN }, { threshold: 2 }, { iouThreshold: Number.NaN }])(
    "rejects %o on creation",
    (options) => {
      expect(() => task(options)).toThrow(
        /read (threshold|iouThreshold): expected a number from 0 to 1; got (NaN|2)/,
      );
    },
  );
});
