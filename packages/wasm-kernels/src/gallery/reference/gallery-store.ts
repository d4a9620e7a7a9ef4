import { NO_SLOT, type GalleryStore } from "../create-gallery.ts";
import type { GallerySpec } from "../gallery.ts";

/** Creates the storage of gallery rows in plain TypeScript. Every precision scans all rows exactly. */
export function referenceGalleryStore({ dimensions }: GallerySpec): GalleryStore {
  let rows: Float32Array[] = [];

  const cosine = (row: Float32Array, query: Float32Array): number => {
    let sum = 0;
    for (let d = 0; d < dimensions; d++) sum = Math.fround(sum + Math.fround(row[d]! * query[d]!));
    return sum;
  };

  return {
    reserve: () => {},
    put(slot, row) {
      rows[slot] = row.slice();
    },
    move({ from, to }) {
      rows[to] = rows[from]!;
    },
    match({ queries, count, k, threshold }, size) {
      const scores = new Float32Array(count * k);
      const slots = new Uint32Array(count * k).fill(NO_SLOT);
      for (let q = 0; q < count; q++) {
        const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
        const all = rows.slice(0, size).map((row, slot) => ({ slot, score: cosine(row, query) }));
        const best = all
          .filter(({ score }) => score >= threshold)
          .toSorted((a, b) => b.score - a.score)
          .slice(0, k);
        best.forEach(({ slot, score }, i) => {
          scores[q * k + i] = score;
          slots[q * k + i] = slot;
        });
      }
      return { scores, slots };
    },
    dispose() {
      rows = [];
    },
  };
}
