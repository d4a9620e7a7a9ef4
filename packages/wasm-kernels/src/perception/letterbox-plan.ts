/**
 * Geometry of a resize as tables that map tensor pixels to source pixels, computed in f64 once per image
 * size. Both backends read these tables, so their results have the same bits.
 */

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** "letterbox" keeps the aspect ratio and centers the image; "stretch" fills the tensor. */
export type Fit = "letterbox" | "stretch";

/** Position of an image in a tensor, and the source pixels of each tensor pixel. */
export interface LetterboxPlan {
  readonly source: Size;
  /** Size of the image inside the tensor. `left` and `top` are its top left corner. */
  readonly content: Size;
  readonly left: number;
  readonly top: number;
  /**
   * Byte offset of the left source pixel in a row, for each column of the content; padded with zeros to a
   * multiple of four.
   */
  readonly columns: Uint32Array;
  /** Weight of the right source pixel, for each column of the content; padded in the same way. */
  readonly horizontal: Float32Array;
  /** Upper and lower source row, for each row of the content. */
  readonly rows: Uint32Array;
  /** Weight of the lower source row, for each row of the content. */
  readonly vertical: Float32Array;
}

/** Options of {@link letterboxPlan}. */
interface LetterboxPlanOptions {
  source: Size;
  tensor: Size;
  fit: Fit;
}

/**
 * Computes the plan of a resize: bilinear with half-pixel centers, clamped edges, and no antialiasing, like
 * torch's `interpolate(align_corners=False)`.
 */
export function letterboxPlan({ source, tensor, fit }: LetterboxPlanOptions): LetterboxPlan {
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
 * Returns, for each of `count` samples along `size` pixels, the first of its two source pixels and the weight
 * of the second. The first is never the last pixel unless there is only one pixel: a sample at the last pixel
 * has it as its second, with weight 1. So a pixel can always be read together with its neighbor.
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
