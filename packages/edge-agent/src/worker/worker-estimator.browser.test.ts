import type { Estimator, Frame, Tensors } from "@sedna-js/core";
import { describe, expect, it } from "vitest";
import { estimatorSuite } from "../../../../testing/suites/estimator-suite.ts";
import { browserFrame } from "../frames/video-frame.browser.ts";
import { workerEstimator } from "./worker-estimator.ts";

const start = <Sample>() =>
  workerEstimator<Sample, unknown>(
    new Worker(new URL("../../../../testing/workers/tiny-worker.ts", import.meta.url), { type: "module" }),
  );

estimatorSuite("a browser Worker", {
  make: () => start<Tensors>() as Estimator<Tensors, Tensors>,
  backend: "wasm",
});

describe("workerEstimator() in a browser", () => {
  it("transfers a VideoFrame and keeps the caller's frame usable", async () => {
    const estimator = start<Frame>();
    const pixels = new Uint8ClampedArray(4 * 4 * 2).fill(255);
    const frame = browserFrame(
      new VideoFrame(pixels, { format: "RGBA", codedWidth: 4, codedHeight: 2, timestamp: 0 }),
      { timestamp: 7 },
    );
    expect(await estimator.predict(frame)).toEqual({ sum: 8 * 4 * 255, timestamp: 7 });
    const again = new Uint8ClampedArray(4 * 4 * 2);
    await frame.copyTo(again);
    expect(again).toEqual(pixels);
    frame.close();
    await estimator.dispose();
  });

  it("accepts another frame implementation", async () => {
    const estimator = start<Frame>();
    const own: Frame = {
      width: 2,
      height: 1,
      timestamp: 3,
      copyTo: async (target) => void target.fill(255),
      encode: () => Promise.reject(new Error("not needed")),
      close() {},
    };
    expect(await estimator.predict(own)).toEqual({ sum: 8 * 255, timestamp: 3 });
    await estimator.dispose();
  });

  it("closes shared frames if the Worker is disposed", async () => {
    const estimator = start<Frame>();
    await estimator.load();
    await estimator.dispose();
    const shared: VideoFrame[] = [];
    const picture = new VideoFrame(new Uint8ClampedArray(32), {
      format: "RGBA",
      codedWidth: 4,
      codedHeight: 2,
      timestamp: 0,
    });
    const clone = picture.clone.bind(picture);
    picture.clone = () => (shared.push(clone()), shared.at(-1)!);
    await expect(estimator.predict(browserFrame(picture))).rejects.toMatchObject({ code: "disposed" });
    expect(shared.every((one) => one.format === null)).toBe(true);
    picture.close();
  });

  it("rejects with the cause when the Worker crashes", async () => {
    const estimator = start<unknown>();
    await estimator.load();
    await expect(estimator.predict("crash")).rejects.toMatchObject({
      code: "run-failed",
      message: expect.stringContaining("the worker's own bug"),
    });
    await estimator.dispose();
  });
});
