/**
 * Batches are processed in windows that stay in the processor's L2 cache: copying a window and running the
 * kernel on it costs hardly more than the kernel alone, and memory does not grow with the batch.
 */

const WINDOW_FLOATS = 16384;
const WINDOW_IMAGES = 4096;

/** A range of images or rows: `first` to `last`, exclusive. */
export interface Window {
  readonly first: number;
  readonly last: number;
}

/** Yields windows over rows of equal length. A row longer than a window gets its own window. */
export function* rowWindows({ rows, columns }: { rows: number; columns: number }): Generator<Window> {
  const step = Math.max(1, Math.floor(WINDOW_FLOATS / columns));
  for (let first = 0; first < rows; first += step) yield { first, last: Math.min(first + step, rows) };
}

/**
 * Yields windows over images in CSR form. Scores that are already in kernel memory (`resident`) do not count
 * toward the size of a window.
 */
export function* imageWindows(
  offsets: Uint32Array,
  { resident }: { readonly resident: boolean },
): Generator<Window> {
  const images = offsets.length - 1;
  for (let first = 0; first < images;) {
    const last = resident ? Math.min(first + WINDOW_IMAGES, images) : lastInside(offsets, first);
    yield { first, last };
    first = last;
  }
}

/**
 * Returns the end of the longest run from `first` that fits in a window, with at least one image, by binary
 * search.
 */
function lastInside(offsets: Uint32Array, first: number): number {
  let low = first + 1;
  let high = Math.min(first + WINDOW_IMAGES, offsets.length - 1);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsets[middle]! - offsets[first]! <= WINDOW_FLOATS) low = middle;
    else high = middle - 1;
  }
  return low;
}
