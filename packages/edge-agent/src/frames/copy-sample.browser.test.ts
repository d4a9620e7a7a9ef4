import type { Frame } from "@sedna-js/core";
import { expect, it } from "vitest";
import { browserFrame } from "./video-frame.browser.ts";
import { copySample } from "./copy-sample.ts";

const canvas = (): OffscreenCanvas => {
  const one = new OffscreenCanvas(2, 2);
  const context = one.getContext("2d")!;
  context.fillStyle = "rgb(200 100 50)";
  context.fillRect(0, 0, 2, 2);
  return one;
};

it.each([
  ["a VideoFrame", async () => new VideoFrame(canvas(), { timestamp: 0 })],
  ["an ImageBitmap", () => createImageBitmap(canvas())],
])("holdSample() keeps the pixels of %s that is closed at once", async (_name, make) => {
  const frame = browserFrame(await make(), { timestamp: 40 });
  const holding = copySample<Frame>(frame);
  frame.close();
  const { sample, release } = await holding;
  const pixels = new Uint8ClampedArray(16);
  await sample.copyTo(pixels);
  expect(pixels.slice(0, 4)).toEqual(Uint8ClampedArray.of(200, 100, 50, 255));
  expect(sample.timestamp).toBe(40);
  release();
  await expect(sample.copyTo(pixels)).rejects.toThrow();
});
