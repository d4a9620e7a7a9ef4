/** RGBA8 pixels, row-major, top row first; 4 * width * height bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * An image in any form: a VideoFrame, an ImageBitmap, a buffer. It owns memory: the consumer that receives it
 * from a source must close it once.
 */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Position in the source in ms: media time, capture time, or 0. */
  readonly timestamp: number;
  /** Writes RGBA8 pixels to `target`, 4 * width * height bytes. */
  copyTo(target: Uint8ClampedArray): Promise<void>;
  /**
   * Encodes the image as `type`. `quality` is in (0,1]; a larger image is scaled down to `maxSide` pixels.
   */
  encode(options: EncodeOptions): Promise<EncodedImage>;
  close(): void;
}

/** Options for encoding an image. */
export interface EncodeOptions {
  readonly type: ImageType;
  readonly quality: number;
  readonly maxSide?: number;
}

/** An encoded image and its size in pixels, which `maxSide` may have reduced. */
export interface EncodedImage {
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Media types that all sides can read. */
export type ImageType = "image/jpeg" | "image/webp" | "image/png";

/** Decodes an encoded image to a frame, or throws. Passed in if no decoder is available. */
export type DecodeImage = (bytes: Uint8Array, options?: { readonly signal?: AbortSignal }) => Promise<Frame>;

/**
 * Checks the size of an image.
 * @throws {RangeError} If a side is not a positive integer.
 */
export function checkSize(
  { width, height }: { readonly width: number; readonly height: number },
  action: string,
): void {
  const good = (side: number): boolean => Number.isInteger(side) && side > 0;
  if (!good(width) || !good(height))
    throw new RangeError(`${action}: expected a picture of at least 1x1; got ${width}x${height}`);
}

/**
 * Returns the size of an image scaled down so that its longer side is at most `maxSide`, with the same aspect
 * ratio.
 */
export function fitWithin(
  { width, height }: { readonly width: number; readonly height: number },
  maxSide = Infinity,
): { width: number; height: number } {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Returns true for a frame, false for tensors and other samples. */
export function isFrame(sample: unknown): sample is Frame {
  return typeof sample === "object" && sample !== null && "copyTo" in sample && "encode" in sample;
}
