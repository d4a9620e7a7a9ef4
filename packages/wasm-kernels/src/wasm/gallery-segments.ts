/** Rows of the first segment; each next one has twice as many, so rows never move when a gallery grows. */
const FIRST = 256;

/** A segment: the rows from slot `first` on. */
export interface SegmentRange {
  readonly first: number;
  readonly capacity: number;
}

/** The range of segment `index`. */
export function segmentRange(index: number): SegmentRange {
  return { first: FIRST * (2 ** index - 1), capacity: FIRST * 2 ** index };
}

/** The segment that a slot lies in. */
export function segmentOf(slot: number): number {
  return Math.floor(Math.log2(Math.floor(slot / FIRST) + 1));
}
