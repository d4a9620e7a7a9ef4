import {
  agreement,
  heatmapDetector,
  nanodet,
  type Detections,
  type Estimator,
  type Frame,
} from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import labels from "../../../../models/vtest/labels.json?url";
import big from "../../../../models/nanodet-g-416/model.onnx?url";
import records from "../../../../models/vtest/records.json?url";
import little from "../../../../models/tiny-person/model.onnx?url";
import video from "../../../../models/vtest/vtest.mp4?url";
import { onnxEstimator } from "./onnx-estimator.ts";
import { grab } from "../sources/video-element.browser.ts";

// Runs the vendored detectors with their pre- and postprocessing in a browser on the real video. Their boxes
// must match the records, which other code made from the same frames.

type Rows = readonly (readonly number[])[];
const frames = [7, 292, 607] as const;
const read = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T;

async function* labeledFrames(): AsyncGenerator<{ index: number; frame: Frame }> {
  const element = document.createElement("video");
  Object.assign(element, { muted: true, preload: "auto", src: video });
  await new Promise((resolve) => element.addEventListener("loadeddata", resolve, { once: true }));
  for (const index of frames) {
    const sought = new Promise((resolve) => element.addEventListener("seeked", resolve, { once: true }));
    // On a busy machine the frame is presented after the event.
    const shown = new Promise((resolve) => element.requestVideoFrameCallback(resolve));
    element.currentTime = (index + 0.5) / 10;
    await Promise.all([sought, shown]);
    const frame = await grab(element, 100 * index);
    yield { index, frame };
    frame.close();
  }
}

/** Returns the mean F1 over the frames against the recorded rows and against the hand labels. */
async function compare(
  estimator: Estimator<Frame, Detections>,
  of: "little" | "big",
  threshold: number,
): Promise<{ recorded: number; byHand: number }> {
  const { frames: recorded } = await read<{ frames: Record<"little" | "big", Rows>[] }>(records);
  const { frames: labeled } = await read<{ frames: { frame: number; boxes: Rows }[] }>(labels);
  const sums = { recorded: 0, byHand: 0 };
  for await (const { index, frame } of labeledFrames()) {
    const found = (await estimator.predict(frame))
      .filter((row) => row[4] >= threshold)
      .map((row) => row.slice(0, 5));
    const reference = recorded[index]![of].filter((row) => row[4]! >= threshold).map((row) =>
      row.slice(0, 4),
    );
    sums.recorded += agreement({ found, reference, iou: 0.8 }).f1 / frames.length;
    sums.byHand +=
      agreement({ found, reference: labeled.find((one) => one.frame === index)!.boxes }).f1 / frames.length;
  }
  await estimator.dispose();
  return sums;
}

describe("the vendored detectors in a browser", () => {
  it("tiny-person matches the records and finds most people", async () => {
    const { recorded, byHand } = await compare(
      onnxEstimator({
        model: new URL(little, location.href),
        task: heatmapDetector(),
        executionProviders: ["wasm"],
      }),
      "little",
      0.3,
    );
    expect(recorded).toBeGreaterThan(0.95);
    expect(byHand).toBeGreaterThan(0.8);
  });

  it("nanodet-g-416 matches the records and finds most people", async () => {
    const { recorded, byHand } = await compare(
      onnxEstimator({
        model: new URL(big, location.href),
        task: nanodet({ labels: [0], threshold: 0.45 }),
        executionProviders: ["wasm"],
      }),
      "big",
      0.45,
    );
    expect(recorded).toBeGreaterThan(0.95);
    expect(byHand).toBeGreaterThan(0.85);
  });
});
