import type { Frame, Pixels } from "@sedna-js/core";
import type { SharedFrame } from "./platform.ts";
import { browserFrame, type BrowserFrame, type BrowserImage } from "./video-frame.browser.ts";

export async function decodeImage(bytes: Uint8Array): Promise<Frame> {
  try {
    return browserFrame(await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>])));
  } catch (cause) {
    throw new TypeError(
      `decode a picture: expected a format that this browser supports; got ${bytes.length} bytes of another format`,
      { cause },
    );
  }
}

export async function frameOfPixels(
  { width, height, data }: Pixels,
  options: { readonly timestamp?: number } = {},
): Promise<Frame> {
  const image = new ImageData(width, height);
  image.data.set(data);
  return browserFrame(await createImageBitmap(image), options);
}

export async function shareFrame(frame: Frame): Promise<SharedFrame> {
  const picture = "picture" in frame ? (frame as BrowserFrame).picture : await drawn(frame);
  // The clone of a VideoFrame shares its pixels. An ImageBitmap has no such clone, so it is copied once.
  const shared = "clone" in picture ? picture.clone() : await createImageBitmap(picture);
  return {
    handle: { picture: shared, timestamp: frame.timestamp },
    transfer: [shared],
    close: () => shared.close(),
  };
}

/** Returns the pixels of another frame implementation as an object that the browser can post. */
async function drawn(frame: Frame): Promise<ImageData> {
  const pixels = new ImageData(frame.width, frame.height);
  await frame.copyTo(pixels.data);
  return pixels;
}

export function receiveFrame(handle: unknown): Frame {
  const { picture, timestamp } = handle as { picture: BrowserImage; timestamp: number };
  return browserFrame(picture, { timestamp });
}

export async function drawFrame(frame: Frame, context: unknown): Promise<void> {
  const canvas = context as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;
  const { width, height } = frame;
  if ("picture" in frame) return canvas.drawImage((frame as BrowserFrame).picture, 0, 0, width, height);
  canvas.putImageData(await drawn(frame), 0, 0);
}
