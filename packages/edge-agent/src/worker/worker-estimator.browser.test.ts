import type { Frame, Tensors } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { browserFrame } from "../frames/video-frame.browser.ts";
import { workerEstimator } from "./worker-estimator.ts";

const start = <Sample>() => workerEstimator<Sample, unknown>(new Worker(new URL("../../../../testing/tiny-worker.ts", import.meta.url), { type: "module" }));

describe("workerEstimator() in a browser", () => {
  it("runs a model in a Worker as if it were here", async () => {
    const estimator = start<Tensors>();
    expect(await estimator.predict({ x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } })).toMatchObject({ y: { data: Float32Array.of(2, 4, 6, 8) } });
    await estimator.dispose();
  });

  it("hands a VideoFrame over and keeps the caller's own usable", async () => {
    const estimator = start<Frame>();
    const pixels = new Uint8ClampedArray(4 * 4 * 2).fill(255);
    const frame = browserFrame(new VideoFrame(pixels, { format: "RGBA", codedWidth: 4, codedHeight: 2, timestamp: 0 }), { timestamp: 7 });
    expect(await estimator.predict(frame)).toEqual({ sum: 8 * 4 * 255, timestamp: 7 });
    const again = new Uint8ClampedArray(4 * 4 * 2);
    await frame.copyTo(again);
    expect(again).toEqual(pixels);
    frame.close();
    await estimator.dispose();
  });

  it("rejects with the reason when the Worker dies", async () => {
    const estimator = start<unknown>();
    await estimator.load();
    await expect(estimator.predict("crash")).rejects.toMatchObject({ code: "run-failed", message: expect.stringContaining("the worker's own bug") });
    await estimator.dispose();
  });
});
