import { expect, it } from "vitest";
import { decodeImage, frameOfPixels } from "../frames/platform.browser.ts";
import { sampleForQueue } from "./sample-for-queue.ts";

it("hides the regions of a browser's frame and encodes the rest", async () => {
  const stripes = Uint8ClampedArray.from({ length: 4 * 64 * 64 }, (_, i) =>
    i % 4 === 3 ? 255 : ((i >> 2) % 2) * 255,
  );
  const frame = await frameOfPixels({ width: 64, height: 64, data: stripes }, { timestamp: 3 });
  expect([frame.width, frame.height, frame.timestamp]).toEqual([64, 64, 3]);
  const sample = await sampleForQueue({
    frame,
    result: [[0, 0, 24, 24, 1, 0]],
    policy: { level: "blurred" },
    image: { type: "image/png" },
  });
  const shown = await decodeImage(sample!.bytes);
  const data = new Uint8ClampedArray(4 * 64 * 64);
  await shown.copyTo(data);
  const hidden = data.slice(0, 4 * 20);
  const plain = Array.from(data.slice(4 * 64 * 40, 4 * 64 * 40 + 8));
  for (let x = 0; x < 20; x++) expect(Math.abs(hidden[4 * x]! - 128)).toBeLessThan(20);
  expect(plain).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
  frame.close();
  shown.close();
});
