/** RGBA8 pixels, row-major, top row first; 4 * width * height bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * A picture on its way through the library, whatever holds it: a VideoFrame, an ImageBitmap, a buffer.
 * It owns memory: whoever takes it from a source closes it, once.
 */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Position in its source in ms: media time, capture time, or 0. */
  readonly timestamp: number;
  /** Writes RGBA8 into `target`, 4 * width * height bytes. */
  copyTo(target: Uint8ClampedArray): Promise<void>;
  /** The picture as JPEG or WebP. `quality` in (0,1]; `maxSide` in pixels scales a larger picture down. */
  encode(options: EncodeOptions): Promise<EncodedImage>;
  close(): void;
}

/** How to encode a picture. */
export interface EncodeOptions {
  readonly type: ImageType;
  readonly quality: number;
  readonly maxSide?: number;
}

/** An encoded picture and its size in pixels, which `maxSide` may have made smaller than the frame's. */
export interface EncodedImage {
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** Media types that every side can read. */
export type ImageType = "image/jpeg" | "image/webp" | "image/png";

/** Turns an encoded picture into a frame, or throws; passed in where there is no decoder in reach. */
export type DecodeImage = (bytes: Uint8Array, options?: { readonly signal?: AbortSignal }) => Promise<Frame>;

/**
 * Checks the size of a picture.
 * @throws {RangeError} on a side that is not a positive integer.
 */
export function checkSize(
  { width, height }: { readonly width: number; readonly height: number },
  action: string,
): void {
  const good = (side: number): boolean => Number.isInteger(side) && side > 0;
  if (!good(width) || !good(height))
    throw new RangeError(`${action}: expected a picture of at least 1x1; got ${width}x${height}`);
}

/** The size of a picture whose longer side is at most `maxSide`, its aspect ratio kept. */
export function fitWithin(
  { width, height }: { readonly width: number; readonly height: number },
  maxSide = Infinity,
): { width: number; height: number } {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** True for a frame, false for tensors and other samples. */
export function isFrame(sample: unknown): sample is Frame {
  return typeof sample === "object" && sample !== null && "copyTo" in sample && "encode" in sample;
}
