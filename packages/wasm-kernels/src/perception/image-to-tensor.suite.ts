import { describe, expect, it } from "vitest";
import type { PerceptionKernels } from "./perception-kernels.ts";

/** Returns a reproducible RGBA image. */
export function picture(width: number, height: number) {
  const data = Uint8ClampedArray.from(
    { length: width * height * 4 },
    (_, i) => (i * 7919 + (i >> 3) * 104729) % 256,
  );
  return { data, width, height };
}

/** Computes torch's `interpolate(mode="bilinear", align_corners=False)` of one channel in f64. */
function bilinear(
  image: ReturnType<typeof picture>,
  out: { width: number; height: number },
  channel: number,
): number[] {
  const position = (i: number, size: number, count: number) =>
    Math.min(Math.max(((i + 0.5) * size) / count - 0.5, 0), size - 1);
  const at = (x: number, y: number) =>
    image.data[(Math.min(y, image.height - 1) * image.width + Math.min(x, image.width - 1)) * 4 + channel]!;
  return Array.from({ length: out.width * out.height }, (_, i) => {
    const x = position(i % out.width, image.width, out.width);
    const y = position(Math.floor(i / out.width), image.height, out.height);
    const [x0, y0] = [Math.floor(x), Math.floor(y)];
    const row = (dy: number) => at(x0, y0 + dy) * (1 - (x - x0)) + at(x0 + 1, y0 + dy) * (x - x0);
    return row(0) * (1 - (y - y0)) + row(1) * (y - y0);
  });
}

const raw = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** Tests that the image conversion of every backend must pass. */
export function imageToTensorSuite(kernels: () => PerceptionKernels): void {
  describe("imageToTensor()", () => {
    it.each([
      [1, 1],
      [1, 9],
      [9, 1],
      [2, 2],
      [37, 21],
      [4, 64],
    ])("resizes %i x %i images like torch", (width, height) => {
      const image = picture(width, height);
      for (const tensor of [
        { width: 1, height: 1 },
        { width: 5, height: 3 },
        { width: 16, height: 16 },
      ]) {
        using converter = kernels().imageToTensor({ ...tensor, fit: "stretch", ...raw });
        const { data, shape } = converter.run(image);
        expect(shape).toEqual([1, 3, tensor.height, tensor.width]);
        const exact = [0, 1, 2].flatMap((channel) => bilinear(image, tensor, channel));
        exact.forEach((value, i) => expect(Math.abs(data[i]! - value)).toBeLessThan(1e-3));
      }
    });

    it("keeps the aspect ratio, centers the image, and reports its position", () => {
      using converter = kernels().imageToTensor({ width: 8, height: 8, ...raw, pad: [1, 2, 3] });
      const { data, scaleX, scaleY, offsetX, offsetY } = converter.run(picture(16, 8));
      expect({ scaleX, scaleY, offsetX, offsetY }).toEqual({
        scaleX: 0.5,
        scaleY: 0.5,
        offsetX: 0,
        offsetY: 2,
      });
      const border = (channel: number) => [...data.subarray(channel * 64, channel * 64 + 16)];
      expect([0, 1, 2].map(border)).toEqual([1, 2, 3].map((value) => Array(16).fill(value)));
      const content = bilinear(picture(16, 8), { width: 8, height: 4 }, 1);
      content.forEach((value, i) => expect(data[64 + 16 + i]).toBeCloseTo(value, 3));
    });

    it("repaints the border when the shape of the image changes", () => {
      using converter = kernels().imageToTensor({ width: 6, height: 6, ...raw, pad: 99 });
      converter.run(picture(12, 6));
      const { data, offsetX } = converter.run(picture(6, 12));
      expect(offsetX).toBe(1);
      const row = [...data.subarray(0, 6)];
      expect([row[0], row[4], row[5]]).toEqual([99, 99, 99]);
    });

    it("normalizes by color, regardless of channel order and layout", () => {
      const spec = { width: 1, height: 1, mean: [10, 20, 30], std: [2, 4, 8] } as const;
      const image = { data: Uint8Array.of(12, 40, 70, 255), width: 1, height: 1 };
      const run = (layout: "nchw" | "nhwc", channels: "rgb" | "bgr") => [
        ...kernels()
          .imageToTensor({ ...spec, layout, channels })
          .run(image).data,
      ];
      expect([run("nchw", "rgb"), run("nhwc", "rgb")]).toEqual([
        [1, 5, 5],
        [1, 5, 5],
      ]);
      const red = { data: Uint8Array.of(14, 40, 38, 0), width: 1, height: 1 };
      expect([
        ...kernels()
          .imageToTensor({ ...spec, channels: "bgr" })
          .run(red).data,
      ]).toEqual([1, 5, 2]);
    });

    it("writes the same values as planes or pixels and as RGB or BGR", () => {
      const image = picture(19, 11);
      const run = (layout: "nchw" | "nhwc", channels: "rgb" | "bgr") => {
        using converter = kernels().imageToTensor({ width: 7, height: 6, layout, channels });
        return converter.run(image).data.slice();
      };
      const planes = run("nchw", "rgb");
      const pixel = (i: number, c: number) => planes[c * 42 + i]!;
      const each = (f: (i: number, c: number) => number) =>
        Float32Array.from({ length: 126 }, (_, at) => f(Math.floor(at / 3), at % 3));
      expect(run("nhwc", "rgb")).toEqual(each(pixel));
      expect(run("nhwc", "bgr")).toEqual(each((i, c) => pixel(i, 2 - c)));
      expect(run("nchw", "bgr")).toEqual(
        Float32Array.from({ length: 126 }, (_, at) => pixel(at % 42, 2 - Math.floor(at / 42))),
      );
    });

    it("converts the image that was written into source()", () => {
      using converter = kernels().imageToTensor({ width: 2, height: 2, fit: "stretch", ...raw });
      const source = converter.source({ width: 2, height: 2 });
      expect(source.length).toBe(16);
      source.set([1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9, 0, 10, 11, 12, 0]);
      expect([...converter.convert().data]).toEqual([1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]);
      converter.source({ width: 2, height: 2 })[0] = 100;
      expect(converter.convert().data[0]).toBe(100);
    });

    it("keeps its views valid when kernel memory grows", () => {
      using converter = kernels().imageToTensor({ width: 4, height: 4, fit: "stretch", ...raw });
      const result = converter.run(picture(4, 4));
      const before = result.data.slice();
      const others = Array.from({ length: 4 }, () => kernels().imageToTensor({ width: 512, height: 512 }));
      others.forEach((other) => other.run(picture(300, 200)));
      expect(result.data).toEqual(before);
      expect(converter.source({ width: 4, height: 4 })).toEqual(picture(4, 4).data);
      expect(converter.convert().data).toEqual(before);
      others.forEach((other) => other.dispose());
    });

    it("throws if no image was written or if it is disposed", () => {
      const converter = kernels().imageToTensor({ width: 4, height: 4 });
      expect(() => converter.convert()).toThrow("convert: expected an image; got none");
      converter.dispose();
      converter.dispose();
      expect(() => converter.run(picture(4, 4))).toThrow(
        "run: expected an image converter in use; got a disposed one",
      );
    });
  });
}
