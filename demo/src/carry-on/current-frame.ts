import type { Tensors } from "@sedna-js/edge-agent";

/**
 * Returns the current frame of a video as the input of the little model: `image` float32 [1,3,height,width],
 * planar RGB in 0..1.
 */
export function currentFrame(
  video: HTMLVideoElement,
  { width, height }: { readonly width: number; readonly height: number },
): Tensors {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(video, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const plane = width * height;
  const image = Float32Array.from(
    { length: 3 * plane },
    (_, i) => data[4 * (i % plane) + Math.floor(i / plane)]! / 255,
  );
  return { image: { dtype: "float32", shape: [1, 3, height, width], data: image } };
}
