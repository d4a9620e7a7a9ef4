import { SednaError } from "@sedna-js/core";
import type { Frame, Pixels } from "@sedna-js/core";
import { pixelsFrame } from "@sedna-js/core/adapters/sharp";
import { importSharp } from "./decode-image.node.ts";
import type { SharedFrame } from "./platform.ts";

export { decodeImage } from "./decode-image.node.ts";

export async function frameOfPixels(
  pixels: Pixels,
  { timestamp = 0 }: { readonly timestamp?: number } = {},
): Promise<Frame> {
  return pixelsFrame(pixels, { timestamp, sharp: importSharp });
}

export async function shareFrame(frame: Frame): Promise<SharedFrame> {
  const data = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(data);
  return {
    handle: { width: frame.width, height: frame.height, data, timestamp: frame.timestamp },
    transfer: [data.buffer],
    close() {},
  };
}

export function receiveFrame(handle: unknown): Frame {
  const { timestamp, ...pixels } = handle as Pixels & { timestamp: number };
  return pixelsFrame(pixels, { timestamp, sharp: importSharp });
}

export async function drawFrame(): Promise<never> {
  throw new SednaError("draw a frame: expected a browser; Node has no canvas", {
    code: "unsupported-platform",
  });
}
