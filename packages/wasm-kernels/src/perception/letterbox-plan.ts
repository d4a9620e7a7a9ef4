/**
 * Where each tensor pixel takes its colour from: the geometry of a resize as tables, computed in f64
 * once a picture size. Both backends read these tables, so their results are the same bits.
 */

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** "letterbox" keeps the aspect ratio and centres the picture; "stretch" fills the tensor. */
export type Fit = "letterbox" | "stretch";

/** A picture's place in a tensor, and the source pixels behind it. */
export interface LetterboxPlan {
  readonly source: Size;
  /** The picture inside the tensor: its size and its top left corner. */
  readonly content: Size;
  readonly left: number;
  readonly top: number;
  /** For each column of the content, the byte offset of its left source pixel in a row; zeros up to a multiple of four. */
  readonly columns: Uint32Array;
  /** The weight of the pixel to its right; zeros likewise. */
  readonly horizontal: Float32Array;
  /** For each row of the content, its upper and its lower source row. */
  readonly rows: Uint32Array;
  /** The weight of the lower one. */
  readonly vertical: Float32Array;
}

/** Bilinear with half-pixel centres, edges clamped, no antialiasing: torch's `interpolate(align_corners=False)`. */
export function letterboxPlan({
  source,
  tensor,
  fit,
}: {
  source: Size;
  tensor: Size;
  fit: Fit;
}): LetterboxPlan {
  const content = fit === "stretch" ? tensor : fitInside(source, tensor);
  const horizontal = taps(content.width, source.width);
  const vertical = taps(content.height, source.height);
  const padded = Math.ceil(content.width / 4) * 4;
  const plan = {
    source: { width: source.width, height: source.height },
    content,
    left: Math.floor((tensor.width - content.width) / 2),
    top: Math.floor((tensor.height - content.height) / 2),
    columns: new Uint32Array(padded),
    horizontal: new Float32Array(padded),
    rows: new Uint32Array(2 * content.height),
    vertical: vertical.weights,
  };
  plan.columns.set(horizontal.first.map((pixel) => 4 * pixel));
  plan.horizontal.set(horizontal.weights);
  vertical.first.forEach((row, i) => plan.rows.set([row, Math.min(row + 1, source.height - 1)], 2 * i));
  return plan;
}

function fitInside(source: Size, tensor: Size): Size {
  const scale = Math.min(tensor.width / source.width, tensor.height / source.height);
  const length = (pixels: number, most: number) => Math.min(most, Math.max(1, Math.round(pixels * scale)));
  return { width: length(source.width, tensor.width), height: length(source.height, tensor.height) };
}

/**
 * For each of `count` samples along `size` pixels, the first of its two pixels and the weight of the
 * second. The first is never the last pixel (unless it is the only one): the last gets weight 1 as a
 * second, so that a pixel always has a neighbour to be read together with.
 */
function taps(count: number, size: number): { first: Uint32Array; weights: Float32Array } {
  const first = new Uint32Array(count);
  const weights = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = Math.min(Math.max(((i + 0.5) * size) / count - 0.5, 0), size - 1);
    first[i] = Math.min(Math.floor(position), Math.max(size - 2, 0));
    weights[i] = position - first[i]!;
  }
  return { first, weights };
}
