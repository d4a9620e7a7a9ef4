import type { EncodedImage, EncodeOptions, Frame } from "@sedna-js/core";
import { checkSize, fitWithin } from "@sedna-js/core/vision";

/** An image that the browser holds. Closing it frees its memory. */
export type BrowserImage = VideoFrame | ImageBitmap;

/** A frame with the browser's image behind it. */
export interface BrowserFrame extends Frame {
  readonly picture: BrowserImage;
}

/** Wraps a VideoFrame or an ImageBitmap and takes ownership of it. */
export function browserFrame(
  picture: BrowserImage,
  { timestamp = 0 }: { readonly timestamp?: number } = {},
): BrowserFrame {
  const isVideo = "displayWidth" in picture;
  const width = isVideo ? picture.displayWidth : picture.width;
  const height = isVideo ? picture.displayHeight : picture.height;
  let closed = false;

  return {
    picture,
    width,
    height,
    timestamp,
    async copyTo(target) {
      if (isVideo && picture.visibleRect?.width === width && picture.visibleRect.height === height) {
        try {
          await picture.copyTo(target as BufferSource, { format: "RGBA" });
          return;
        } catch (error) {
          // Engines without conversion to RGBA reject the format (WebKitGTK with a TypeError). Fall back to a
          // canvas, which works in every engine.
          if (closed || !(error instanceof DOMException || error instanceof TypeError)) throw error;
        }
      }
      const { context } = draw(picture, { width, height });
      target.set(context.getImageData(0, 0, width, height).data);
    },
    async encode({ type, quality, maxSide }: EncodeOptions): Promise<EncodedImage> {
      const size = fitWithin({ width, height }, maxSide);
      const { canvas } = draw(picture, size);
      const blob = await canvas.convertToBlob({ type, quality });
      // Safari cannot encode WebP and returns PNG instead, so report the blob's actual type.
      return {
        ...size,
        type: blob.type as EncodedImage["type"],
        bytes: new Uint8Array(await blob.arrayBuffer()),
      };
    },
    close() {
      closed = true;
      picture.close();
    },
  };
}

function draw(
  picture: BrowserImage,
  size: { width: number; height: number },
): { canvas: OffscreenCanvas; context: OffscreenCanvasRenderingContext2D } {
  checkSize(size, "draw a frame");
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("draw a frame: expected a 2d canvas context; got none");
  context.drawImage(picture, 0, 0, size.width, size.height);
  return { canvas, context };
}
