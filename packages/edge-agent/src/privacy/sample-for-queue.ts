import type { Frame } from "@sedna-js/core";
import type { ImageType } from "@sedna-js/core/vision";
import { hasConsent, privateFrame } from "./private-frame.ts";
import type { PrivacyPolicy } from "./privacy-policy.ts";

/** Options of {@link sampleForQueue}. */
export interface SampleForQueueOptions<Result> {
  readonly frame: Frame;
  /** The little model's answer: rows, or probabilities. */
  readonly result: Result | null;
  readonly policy: PrivacyPolicy<Frame, Result>;
  /** How pictures are written. Default JPEG at quality 0.85 in full size. */
  readonly image?: { readonly type?: ImageType; readonly quality?: number; readonly maxSide?: number };
}

/** What is kept of a sample, and sent some day. */
export interface QueueSample {
  readonly kind: "features" | "crop" | "blurred" | "full";
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** Of the picture; with `features` of the frame, whose pixels the numbers are in. */
  readonly width: number;
  readonly height: number;
}

/**
 * A sample as the policy lets it leave the device, and so as it may lie in a queue. Undefined where nothing may: by
 * `never`, without consent, and with `features` without a result.
 *
 * @throws {SednaError} `privacy-forbids` where `crop` or `blurred` have no regions to go by; see `privateFrame`.
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
