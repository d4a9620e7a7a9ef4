import type { Frame } from "@sedna-js/core";
import type { ImageType } from "@sedna-js/core/vision";
import { hasConsent, privateFrame } from "./private-frame.ts";
import type { PrivacyPolicy } from "./privacy-policy.ts";

/** Options of {@link sampleForQueue}. */
export interface SampleForQueueOptions<Result> {
  readonly frame: Frame;
  /** Result of the little model: rows or probabilities. */
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
  /** Encoding of images. Default: JPEG at quality 0.85 and full size. */
  readonly image?: { readonly type?: ImageType; readonly quality?: number; readonly maxSide?: number };
}

/** A sample as it is stored in the queue and later sent. */
export interface QueueSample {
  readonly kind: "features" | "crop" | "blurred" | "full";
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Width of the image in pixels; with `features` that of the frame to which the numbers refer. */
  readonly width: number;
  readonly height: number;
}

/**
 * Converts a sample to the form in which the policy lets it leave the device and in which the queue stores
 * it. Returns `undefined` if nothing may leave: with `never`, without consent, and with `features` without a
 * result.
 *
 * @throws {SednaError} `privacy-forbids` if `crop` or `blurred` has no regions. See `privateFrame`.
 */
export async function sampleForQueue<Result>({
  frame,
  result,
  policy,
  image: { type = "image/jpeg", quality = 0.85, maxSide } = {},
}: SampleForQueueOptions<Result>): Promise<QueueSample | undefined> {
  const { level } = policy;
  if (level === "never" || !hasConsent(frame, policy)) return undefined;
  if (level === "features") {
    if (result === null) return undefined;
    const numbers = ArrayBuffer.isView(result) ? Array.from(result as unknown as ArrayLike<number>) : result;
    const bytes = new TextEncoder().encode(JSON.stringify({ result: numbers }));
    return { kind: level, contentType: "application/json", bytes, width: frame.width, height: frame.height };
  }
  const shown = await privateFrame({ frame, result, policy });
  try {
    const image = await shown.frame.encode({ type, quality, ...(maxSide === undefined ? {} : { maxSide }) });
    return {
      kind: level,
      contentType: image.type,
      bytes: image.bytes,
      width: image.width,
      height: image.height,
    };
  } finally {
    shown.close();
  }
}
