import { messageOf, SednaError } from "../errors.ts";
import {
  checkSize,
  fitWithin,
  type EncodedImage,
  type EncodeOptions,
  type Frame,
  type Pixels,
} from "../vision/frame.ts";

/** The used subset of the package `sharp`, which the caller imports. */
export type SharpModule = (
  input: Uint8Array | Uint8ClampedArray,
  options?: {
    readonly raw?: { readonly width: number; readonly height: number; readonly channels: 4 };
    readonly limitInputPixels?: number;
  },
) => SharpImage;

interface SharpImage {
  autoOrient(): SharpImage;
  toColourspace(space: "srgb"): SharpImage;
  ensureAlpha(): SharpImage;
  raw(): SharpImage;
  resize(options: { readonly width: number; readonly height: number; readonly fit: "fill" }): SharpImage;
  flatten(): SharpImage;
  toFormat(format: "jpeg" | "webp" | "png", options: { readonly quality: number }): SharpImage;
  toBuffer(): Promise<Uint8Array>;
  toBuffer(options: { readonly resolveWithObject: true }): Promise<{
    readonly data: Uint8Array;
    readonly info: { readonly width: number; readonly height: number };
  }>;
}

/**
 * Maximum number of pixels. A larger image is rejected: a few kilobytes of PNG can decompress to gigabytes.
 */
const MAX_PIXELS = 2 ** 25;

/** Creates a frame from pixels. `encode` loads `sharp` on demand, and rejects without it. */
export function pixelsFrame(
  { width, height, data }: Pixels,
  { timestamp = 0, sharp }: { readonly timestamp?: number; readonly sharp?: () => Promise<SharpModule> } = {},
): Frame {
  checkSize({ width, height }, "make a frame");
  if (data.length !== 4 * width * height)
    throw new TypeError(
      `make a frame: expected ${4 * width * height} bytes of RGBA for ${width}x${height}; got ${data.length}`,
    );
  return {
    width,
    height,
    timestamp,
    copyTo: async (target) => target.set(data),
    async encode({ type, quality, maxSide }: EncodeOptions): Promise<EncodedImage> {
      if (!sharp)
        throw new SednaError("encode a picture: expected an encoder; this frame was made without one", {
          code: "missing-dependency",
        });
      const size = fitWithin({ width, height }, maxSide);
      const image = (await sharp())(data, { raw: { width, height, channels: 4 } }).resize({
        ...size,
        fit: "fill",
      });
      const format = type === "image/jpeg" ? "jpeg" : type === "image/webp" ? "webp" : "png";
      const bytes = await image.toFormat(format, { quality: Math.round(quality * 100) }).toBuffer();
      return { ...size, type, bytes: new Uint8Array(bytes) };
    },
    close() {},
  };
}

/**
 * Decodes JPEG, PNG or WebP, in upright orientation.
 * @throws {TypeError} If the bytes are not an image, or the image has more than 33 megapixels.
 */
export async function decodeWithSharp(bytes: Uint8Array, sharp: () => Promise<SharpModule>): Promise<Frame> {
  const open = await sharp();
  let decoded: { data: Uint8Array; info: { width: number; height: number } };
  try {
    decoded = await open(bytes, { limitInputPixels: MAX_PIXELS })
      .autoOrient()
      .toColourspace("srgb")
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    const why = messageOf(cause);
    throw new TypeError(
      `decode a picture: expected JPEG, PNG or WebP; got ${bytes.length} bytes that are not: ${why}`,
      { cause },
    );
  }
  const { data, info } = decoded;
  return pixelsFrame(
    {
      width: info.width,
      height: info.height,
      data: new Uint8Array(data.buffer, data.byteOffset, data.length) as Uint8Array,
    },
    { sharp },
  );
}
