import type { Geometry } from "./image-input.ts";

/** A detection as a row: xmin, ymin, xmax, ymax in pixels of the picture, score in [0,1], class label. */
export type Detection = readonly [xmin: number, ymin: number, xmax: number, ymax: number, score: number, label: number];

/** The detections of one picture, best score first. */
export type Detections = readonly Detection[];

/** Rows in the picture's pixels, cut at its border, from boxes [n,4] in a model's input pixels. */
export function toDetections(
  { boxes, scores, labels, kept }: { readonly boxes: Float32Array; readonly scores: Float32Array; readonly labels?: Uint32Array; readonly kept: Uint32Array },
  { scaleX, scaleY, offsetX, offsetY }: Geometry,
  { width, height }: { readonly width: number; readonly height: number },
): Detections {
  const cut = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);
  return Array.from(kept, (i) => {
    const at = 4 * i;
    return [
      cut((boxes[at]! - offsetX) / scaleX, width),
      cut((boxes[at + 1]! - offsetY) / scaleY, height),
      cut((boxes[at + 2]! - offsetX) / scaleX, width),
      cut((boxes[at + 3]! - offsetY) / scaleY, height),
      scores[i]!,
      labels?.[i] ?? 0,
    ] as const;
  });
}

/** Intersection over union of two boxes; 0 where both are empty. */
export function intersectionOverUnion(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const width = Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!);
  const height = Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!);
  const shared = width > 0 && height > 0 ? width * height : 0;
  const area = (box: ArrayLike<number>): number => Math.max(0, box[2]! - box[0]!) * Math.max(0, box[3]! - box[1]!);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}
