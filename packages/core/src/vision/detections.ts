import type { Geometry } from "./image-input.ts";

/** A detection as a row: xmin, ymin, xmax, ymax in the image's pixels, score in [0,1], class label. */
export type Detection = readonly [
  xmin: number,
  ymin: number,
  xmax: number,
  ymax: number,
  score: number,
  label: number,
];

/** Detections of one image, best score first. */
export type Detections = readonly Detection[];

/**
 * Checks a detector's thresholds.
 * @throws {RangeError} If a threshold is outside 0..1.
 */
export function checkThresholds(thresholds: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(thresholds)) {
    if (!(value >= 0 && value <= 1))
      throw new RangeError(`read ${name}: expected a number from 0 to 1; got ${value}`);
  }
}

/** Options of {@link toDetections}. */
interface ToDetectionsOptions {
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly labels?: Uint32Array;
  readonly kept: Uint32Array;
}

/** Converts boxes [n,4] in a model's input pixels to rows in the image's pixels, clamped to its border. */
export function toDetections(
  { boxes, scores, labels, kept }: ToDetectionsOptions,
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
