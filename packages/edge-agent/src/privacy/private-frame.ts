import { SednaError, type Frame } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { frameOfPixels } from "#platform/frames";
import { mosaic } from "./mosaic.ts";
import { pixelBoxes, unionBox, type PixelBox } from "./pixel-box.ts";
import type { PrivacyLevel, PrivacyPolicy, Region } from "./privacy-policy.ts";

/** What may be shown of a frame. */
export interface PrivateFrame {
  readonly frame: Frame;
  /** Where its left upper corner is in the frame that it was made from, in pixels. */
  readonly offset: { readonly x: number; readonly y: number };
  /** Closes it, where it is a copy; the frame that it was made from is its owner's. */
  close(): void;
}

/** Hidden are the regions and a little around them; shown as well. */
const PADDING = 0.1;

/**
 * What the policy allows of a frame, as a copy: `crop` the box around all regions, `blurred` the frame with its regions
 * as a mosaic, `full` the frame itself. What the little model has not found, it cannot hide: where that matters, the
 * policy should name regions of its own.
 *
 * @throws {SednaError} `privacy-forbids`, before a pixel is read: `never` and `features`, no consent, no result of the
 * little model to find regions by, nothing to crop to.
 */
export async function privateFrame<Result>({
  frame,
  result,
  policy,
}: {
  readonly frame: Frame;
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
}): Promise<PrivateFrame> {
  const { level } = policy;
  if (!hasConsent(frame, policy)) throw forbidden(level, "its consent says no");
  if (level === "never" || level === "features") throw forbidden(level, "no pixels may leave");
  if (level === "full") return { frame, offset: { x: 0, y: 0 }, close() {} };
  const boxes = regionsOf({ frame, result, policy });
  if (level === "blurred") {
    const data = await pixelsOf(frame);
    mosaic({ width: frame.width, height: frame.height, data }, boxes);
    return owned(
      await frameOfPixels({ width: frame.width, height: frame.height, data }, { timestamp: frame.timestamp }),
      { x: 0, y: 0 },
    );
  }
  if (level !== "crop") throw forbidden(level satisfies never, "no such level is known");
  const box = unionBox(boxes);
  if (!box) throw forbidden(level, "there is no region to crop to");
  const size = { width: box.right - box.left, height: box.bottom - box.top };
  const data = cut(await pixelsOf(frame), { width: frame.width, box });
  return owned(await frameOfPixels({ ...size, data }, { timestamp: frame.timestamp }), {
    x: box.left,
    y: box.top,
  });
}

/** Whether the policy's consent says yes to a frame; one that fails does not. */
export function hasConsent<Result>(frame: Frame, { consent }: PrivacyPolicy<Frame, Result>): boolean {
  try {
    return consent === undefined || consent(frame) === true;
  } catch {
    return false;
  }
}

function regionsOf<Result>({
  frame,
  result,
  policy,
}: {
  readonly frame: Frame;
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
}): PixelBox[] {
  let regions: readonly Region[];
  try {
    regions = policy.regions ? policy.regions(frame, result) : boxesOf(result);
    return pixelBoxes(regions, { width: frame.width, height: frame.height, padding: PADDING });
  } catch (cause) {
    throw forbidden(policy.level, messageOf(cause), cause);
  }
}

function boxesOf(result: unknown): readonly Region[] {
  if (result === null || result === undefined)
    throw new Error("the little model has not answered, and no regions of the policy's own are given");
  if (!Array.isArray(result) || !result.every((row) => Array.isArray(row)))
    throw new Error("the little model's answer has no boxes, and no regions of the policy's own are given");
  return result as readonly Region[];
}

async function pixelsOf(frame: Frame): Promise<Uint8ClampedArray> {
  const data = new Uint8ClampedArray(4 * frame.width * frame.height);
  await frame.copyTo(data);
  return data;
}

function cut(
  data: Uint8ClampedArray,
  { width, box: { left, top, right, bottom } }: { readonly width: number; readonly box: PixelBox },
): Uint8ClampedArray {
  const part = new Uint8ClampedArray(4 * (right - left) * (bottom - top));
  for (let y = top; y < bottom; y++)
    part.set(data.subarray(4 * (y * width + left), 4 * (y * width + right)), 4 * (y - top) * (right - left));
  return part;
}

function owned(frame: Frame, offset: { readonly x: number; readonly y: number }): PrivateFrame {
  return { frame, offset, close: () => frame.close() };
}

function forbidden(level: PrivacyLevel, why: string, cause?: unknown): SednaError {
  return new SednaError(
    `show a frame to the cloud: expected the privacy policy ${level} to allow it; ${why}`,
    { code: "privacy-forbids", cause },
  );
}
