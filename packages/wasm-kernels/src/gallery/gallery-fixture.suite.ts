import { expect } from "vitest";
import type { GalleryPort } from "./gallery-port.ts";
import type { GalleryId, GalleryMatch, GalleryOptions, GalleryPrecision, MatchOptions } from "./gallery.ts";

/** Options of the gallery suites. */
export interface GallerySuiteOptions {
  make(options: GalleryOptions): GalleryPort | Promise<GalleryPort>;
  /** Maximum difference between a score and the cosine in f64. */
  readonly tolerance: number;
  /** Precisions that the gallery supports. Default: all. */
  readonly precisions?: readonly GalleryPrecision[];
}

/** Returns reproducible numbers in -1..1. */
export function vectorsOf(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from(
    { length },
    () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 23 - 1,
  );
}

/** Returns the ids 0, 1, 2, ... of rows that are identified by their number. */
export const numbered = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Exact gallery that the suites compare matches with. It computes every cosine in f64. */
export class ExactGallery {
  readonly rows = new Map<GalleryId, Float32Array>();
  readonly dimensions: number;
  constructor(dimensions: number) {
    this.dimensions = dimensions;
  }

  set(ids: readonly GalleryId[], vectors: Float32Array): void {
    ids.forEach((id, i) => this.rows.set(id, vectors.slice(i * this.dimensions, (i + 1) * this.dimensions)));
  }

  /**
   * Throws unless `found` holds the best matches: the expected number of rows, best first, each row once with
   * its own score, and the i-th score equal to the score of the i-th best row. Rows that differ by less than
   * the tolerance may swap positions.
   */
  expectBest(
    found: readonly (readonly GalleryMatch[])[],
    { queries, k, threshold = -Infinity, tolerance }: MatchOptions & { readonly tolerance: number },
  ): void {
    expect(found.length).toBe(queries.length / this.dimensions);
    found.forEach((matches, i) => {
      const query = queries.subarray(i * this.dimensions, (i + 1) * this.dimensions);
      const scores = new Map(Array.from(this.rows, ([id, row]) => [id, cosine(query, row)]));
      const best = [...scores.values()]
        .filter((score) => score >= threshold)
        .toSorted((a, b) => b - a)
        .slice(0, k);
      expect(matches.length).toBe(best.length);
      expect(new Set(matches.map(({ id }) => id)).size).toBe(best.length);
      matches.forEach(({ id, score }, rank) => {
        expect(Math.abs(score - scores.get(id)!)).toBeLessThanOrEqual(tolerance);
        expect(Math.abs(score - best[rank]!)).toBeLessThanOrEqual(tolerance);
        expect(score).toBeLessThanOrEqual(matches[rank - 1]?.score ?? 1);
        expect(score).toBeGreaterThanOrEqual(-1);
      });
    });
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, d) => {
    ab += value * b[d]!;
    aa += value * value;
    bb += b[d]! * b[d]!;
  });
  return ab / Math.sqrt(aa) / Math.sqrt(bb);
}
