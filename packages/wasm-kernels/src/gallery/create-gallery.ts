import {
  checkMatch,
  checkSet,
  type Gallery,
  type GalleryId,
  type GalleryMatch,
  type GallerySpec,
  type MatchCall,
} from "./gallery.ts";
import { lifetime } from "../module/lifetime.ts";
import { normalizedRows } from "./normalized-rows.ts";

/** Results of a match: `k` places a query, best first. */
export interface Ranked {
  readonly scores: Float32Array;
  /** {@link NO_SLOT} where there were fewer than `k` results. */
  readonly slots: Uint32Array;
}

/** The slot of a place that nothing took. */
export const NO_SLOT = 0xffffffff;

/** Rows by slot, `0..rows`, in a backend. */
export interface GalleryStore {
  /** Makes room for so many rows, or throws a RangeError and has changed nothing that shows. */
  reserve(rows: number): void;
  /** Writes a normalised row. */
  put(slot: number, row: Float32Array): void;
  move(slots: { readonly from: number; readonly to: number }): void;
  /** Matches normalised queries against the first `rows` rows. */
  match(call: MatchCall, rows: number): Ranked;
  dispose(): void;
}

/** The public gallery over a backend's store: it knows whose row lies in which slot, and keeps the slots without gaps. */
export function createGallery(
  spec: GallerySpec,
  { store, assertOpen }: { readonly store: GalleryStore; readonly assertOpen: (action: string) => unknown },
): Gallery {
  const ids: GalleryId[] = [];
  const slots = new Map<GalleryId, number>();
  const { using, dispose: release } = lifetime({ what: "a gallery" }, { store, assertOpen });
  const dispose = () => {
    release();
    ids.length = 0;
    slots.clear();
  };

  return {
    dimensions: spec.dimensions,
    precision: spec.precision,
    get size() {
      return ids.length;
    },
    set(given, vectors) {
      const open = using("set");
      const count = checkSet(spec, { ids: given, vectors });
      const rows = normalizedRows(vectors, spec.dimensions);
      open.reserve(ids.length + new Set(given.filter((id) => !slots.has(id))).size);
      for (let i = 0; i < count; i++) {
        const id = given[i]!;
        const slot = slots.get(id) ?? ids.length;
        open.put(slot, rows.subarray(i * spec.dimensions, (i + 1) * spec.dimensions));
        ids[slot] = id;
        slots.set(id, slot);
      }
    },
    has(id) {
      using("has");
      return slots.has(id);
    },
    delete(id) {
      const open = using("delete");
      const to = slots.get(id);
      if (to === undefined) return false;
      const from = ids.length - 1;
      if (from !== to) {
        open.move({ from, to });
        ids[to] = ids[from]!;
        slots.set(ids[to], to);
      }
      ids.length = from;
      slots.delete(id);
      return true;
    },
    match(options) {
      const open = using("match");
      const call = checkMatch(spec, options);
      const ranked = open.match(
        { ...call, queries: normalizedRows(call.queries, spec.dimensions) },
        ids.length,
      );
      return Array.from({ length: call.count }, (_, query) => {
        const results: GalleryMatch[] = [];
        for (
          let place = query * call.k;
          place < (query + 1) * call.k && ranked.slots[place] !== NO_SLOT;
          place++
        ) {
          // Rounding can lift a cosine by a millionth above 1.
          results.push({
            id: ids[ranked.slots[place]!]!,
            score: Math.min(1, Math.max(-1, ranked.scores[place]!)),
          });
        }
        return results;
      });
    },
    dispose,
    [Symbol.dispose]: dispose,
  };
}
