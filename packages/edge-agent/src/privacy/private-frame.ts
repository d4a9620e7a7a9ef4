import { SednaError, type Frame } from "@sedna-js/core";
import { messageOf } from "@sedna-js/core/errors";
import { frameOfPixels } from "#platform/frames";
import { mosaic } from "./mosaic.ts";
import { pixelBoxes, unionBox, type PixelBox } from "./pixel-box.ts";
import type { PrivacyLevel, PrivacyPolicy, Region } from "./privacy-policy.ts";

/** The part of a frame that may be shown. */
export interface PrivateFrame {
  readonly frame: Frame;
  /** Position of its top left corner in the original frame, in pixels. */
  readonly offset: { readonly x: number; readonly y: number };
  /** Closes the frame if it is a copy. The original frame stays open: its owner closes it. */
  close(): void;
}

/** Margin around each region, as a fraction of its longer side, that is hidden or shown with it. */
const PADDING = 0.1;

/** Options of {@link privateFrame}. */
interface PrivateFrameOptions<Result> {
  readonly frame: Frame;
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
}

/**
 * Returns what the policy allows of a frame, as a copy: `crop` the box around all regions, `blurred` the
 * frame with its regions pixelated; `full` returns the frame itself. An object that the little model did not
 * detect is not hidden: if that matters, the policy should name its own regions.
 *
 * @throws {SednaError} `privacy-forbids`, before any pixel is read, if the level is `never` or `features`, if
 * consent is missing, if there is no result of the little model from which to find regions, or if there is no
 * region to crop to.
 */
export async function privateFrame<Result>({
  frame,
  result,
  policy,
}: PrivateFrameOptions<Result>): Promise<PrivateFrame> {
  const { level } = policy;
  if (!hasConsent(frame, policy)) throw forbidden(level, "consent was not given");
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
  if (level !== "crop") throw forbidden(level satisfies never, "the level is unknown");
  const box = unionBox(boxes);
  if (!box) throw forbidden(level, "there is no region to crop to");
  const size = { width: box.right - box.left, height: box.bottom - box.top };
  const data = cut(await pixelsOf(frame), { width: frame.width, box });
  return owned(await frameOfPixels({ ...size, data }, { timestamp: frame.timestamp }), {
    x: box.left,
    y: box.top,
  });
}

/** Returns whether the policy consents to a frame. A consent function that throws does not consent. */
export function hasConsent<Result>(frame: Frame, { consent }: PrivacyPolicy<Frame, Result>): boolean {
  try {
    return consent === undefined || consent(frame) === true;
  } catch {
    return false;
  }
}

/** Options of {@link regionsOf}. */
interface RegionsOfOptions<Result> {
  readonly frame: Frame;
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
}

function regionsOf<Result>({ frame, result, policy }: RegionsOfOptions<Result>): PixelBox[] {
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
    throw new Error("there is no result of the little model, and the policy has no regions of its own");
  if (!Array.isArray(result) || !result.every((row) => Array.isArray(row)))
    throw new Error("the little model's result has no boxes, and the policy has no regions of its own");
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
    `send a frame to the cloud: expected the privacy policy ${level} to allow it; ${why}`,
    { code: "privacy-forbids", cause },
  );
}
