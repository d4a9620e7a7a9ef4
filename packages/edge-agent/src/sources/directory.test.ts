import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { camera, directory } from "./platform.node.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sedna-"));
  for (const [name, width] of [
    ["img10.png", 10],
    ["img2.png", 2],
    ["img1.jpg", 1],
  ] as const) {
    await sharp({ create: { width, height: 3, channels: 3, background: { r: 255, g: 0, b: 0 } } })
      .toFormat(name.endsWith("png") ? "png" : "jpeg")
      .toFile(join(folder, name));
  }
  await writeFile(join(folder, "notes.txt"), "not a picture");
});
afterEach(() => rm(folder, { recursive: true }));
const widths = async (source: AsyncIterable<{ width: number; close(): void }>): Promise<number[]> => {
  const seen: number[] = [];
  for await (const frame of source) {
    seen.push(frame.width);
    frame.close();
  }
  return seen;
};

describe("directory()", () => {
  it("yields the images in the order of the numbers in their names", async () => {
    expect(await widths(directory(folder))).toEqual([1, 2, 10]);
  });

  it("yields their pixels as RGBA", async () => {
    for await (const frame of directory(folder)) {
      const pixels = new Uint8ClampedArray(4 * frame.width * frame.height);
      await frame.copyTo(pixels);
      expect([...pixels.subarray(0, 4)]).toEqual([254, 0, 0, 255]);
      break;
    }
  });

  it("throws an error that names an invalid image file, or skips the file and calls onSkip", async () => {
    await writeFile(join(folder, "img3.png"), "broken");
    await expect(widths(directory(folder))).rejects.toThrow(
      /read .+img3\.png: decode a picture: expected JPEG, PNG or WebP; got 6 bytes/,
    );
    const skipped: string[] = [];
    expect(await widths(directory(folder, { onSkip: ({ path }) => skipped.push(path) }))).toEqual([1, 2, 10]);
    expect(skipped).toEqual([join(folder, "img3.png")]);
  });

  it("encodes an image again, scaled down to maxSide", async () => {
    for await (const frame of directory(folder)) {
      if (frame.width < 10) continue;
      const image = await frame.encode({ type: "image/webp", quality: 0.9, maxSide: 5 });
      expect(await sharp(image.bytes).metadata()).toMatchObject({ format: "webp", width: 5 });
      expect([image.width, image.height]).toEqual([5, 2]);
    }
  });
});

it("camera() throws in Node and names the alternatives", () => {
  expect(() => camera()).toThrow(
    "expected a browser; in Node use rtsp(), webcam(), videoFile() or directory()",
  );
});
