import type { Frame, Pixels } from "@sedna-js/core";

/** Decodes JPEG, PNG, or WebP. In Node with `sharp`. */
export declare function decodeImage(bytes: Uint8Array): Promise<Frame>;

/**
 * Creates a frame that can be encoded from pixels. In Node with `sharp`. The pixels must not change
 * afterwards.
 */
export declare function frameOfPixels(
  pixels: Pixels,
  options?: { readonly timestamp?: number },
): Promise<Frame>;

/** A frame that is posted to a Worker. */
export interface SharedFrame {
  readonly handle: unknown;
  readonly transfer: readonly unknown[];
  /** Releases the shared resources if the frame is not posted. */
  close(): void;
}

/**
 * Prepares a frame to be posted to a Worker. Pixels are transferred instead of copied if the platform
 * supports that.
 */
export declare function shareFrame(frame: Frame): Promise<SharedFrame>;

/** Returns the frame that {@link shareFrame} posted. */
export declare function receiveFrame(handle: unknown): Frame;

/**
 * Draws a frame onto a canvas of its size, so that a page can show results on the frame they belong to.
 * Browsers only.
 *
 * @param context A `CanvasRenderingContext2D` or `OffscreenCanvasRenderingContext2D`.
 */
export declare function drawFrame(frame: Frame, context: unknown): Promise<void>;
