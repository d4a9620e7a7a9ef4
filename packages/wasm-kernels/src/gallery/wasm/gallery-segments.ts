/**
 * Rows in the first segment. Each following segment has twice as many, so rows never move when a gallery
 * grows.
 */
const FIRST = 256;

/** Segment size in bytes at which doubling stops, to bound the memory that is reserved in advance. */
const MAX_BYTES = 64 * 2 ** 20;

/** A segment: `capacity` rows, starting with slot `first`. */
export interface SegmentRange {
  readonly first: number;
  readonly capacity: number;
}

/** Mapping between the slots of a gallery and segments. */
export interface SegmentPlan {
  rangeOf(segment: number): SegmentRange;
  /** Returns the segment of a slot. */
  segmentOf(slot: number): number;
}

/** Creates the plan for rows of `rowBytes` bytes. */
export function segmentPlan(rowBytes: number): SegmentPlan {
  // Index of the last segment that is twice as large as the previous segment. Later segments have the same
  // size.
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
