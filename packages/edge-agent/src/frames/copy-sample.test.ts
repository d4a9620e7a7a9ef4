import type { Frame, Tensors } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { expect, it } from "vitest";
import { copySample } from "./copy-sample.ts";

it("holdSample() keeps a frame and tensors that their owner overwrites at once", async () => {
  const data = Uint8Array.of(1, 2, 3, 4);
  const holdingFrame = copySample<Frame>(pixelsFrame({ width: 1, height: 1, data }, { timestamp: 7 }));
  const tensors: Tensors = { x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } };
  const holdingTensors = copySample(tensors);
  data.fill(0);
  tensors["x"]!.data.fill(0 as never);
  const pixels = new Uint8ClampedArray(4);
  const frame = await holdingFrame;
  await frame.sample.copyTo(pixels);
  expect([[...pixels], frame.sample.timestamp]).toEqual([[1, 2, 3, 4], 7]);
  expect((await holdingTensors).sample["x"]!.data).toEqual(Float32Array.of(1, 2));
  frame.release();
});

it("holdSample() rejects a sample that cannot be copied", async () => {
  await expect(copySample({ of: () => {} })).rejects.toThrow();
});
