import type { Frame, Pixels } from "@sedna-js/core";

/** Decodes JPEG, PNG or WebP. In Node with `sharp`. */
export declare function decodeImage(bytes: Uint8Array): Promise<Frame>;

/** Pixels as a frame that can be encoded. In Node with `sharp`. The pixels must not change afterwards. */
export declare function frameOfPixels(
  pixels: Pixels,
  options?: { readonly timestamp?: number },
): Promise<Frame>;

/** A frame on its way to a Worker. */
export interface SharedFrame {
  readonly handle: unknown;
  readonly transfer: readonly unknown[];
  /** Gives back what was shared, where it was not posted after all. */
  close(): void;
}

/**
 * A frame as something to post to a Worker: its pixels are handed over, not copied, where the platform can.
 */
export declare function shareFrame(frame: Frame): Promise<SharedFrame>;

/** The frame that {@link shareFrame} posted. */
export declare function receiveFrame(handle: unknown): Frame;
