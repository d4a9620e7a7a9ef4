/** Rows of the first segment; each next one has twice as many, so rows never move when a gallery grows. */
const FIRST = 256;

/** Bytes from which a segment isn't doubled any more: what is reserved too early stays bounded. */
const MAX_BYTES = 64 * 2 ** 20;

/** A segment: the rows from slot `first` on. */
export interface SegmentRange {
  readonly first: number;
  readonly capacity: number;
}

/** How the slots of a gallery are spread over segments. */
export interface SegmentPlan {
  rangeOf(segment: number): SegmentRange;
  /** The segment that a slot lies in. */
  segmentOf(slot: number): number;
}

/** The plan for rows of so many bytes. */
export function segmentPlan(rowBytes: number): SegmentPlan {
  // The last segment that is twice the one before; those after it are as large.
  const last = Math.max(0, Math.floor(Math.log2(MAX_BYTES / (FIRST * rowBytes))));
  const most = FIRST * 2 ** last;
  const firstEqual = FIRST * (2 ** (last + 1) - 1);
  return {
    rangeOf: (segment) =>
      segment <= last
        ? { first: FIRST * (2 ** segment - 1), capacity: FIRST * 2 ** segment }
        : { first: firstEqual + (segment - last - 1) * most, capacity: most },
    segmentOf: (slot) =>
      slot < firstEqual
        ? Math.floor(Math.log2(Math.floor(slot / FIRST) + 1))
        : last + 1 + Math.floor((slot - firstEqual) / most),
  };
}
