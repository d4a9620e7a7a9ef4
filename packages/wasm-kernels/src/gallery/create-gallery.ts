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

/** Results of a match: `k` entries per query, best first. */
export interface Ranked {
  readonly scores: Float32Array;
  /** Slots of the rows, with {@link NO_SLOT} in entries without a result. */
  readonly slots: Uint32Array;
}

/** Slot in an entry without a result. */
export const NO_SLOT = 0xffffffff;

/** Backend storage for the rows of a gallery, in slots `0..rows`. */
export interface GalleryStore {
  /**
   * Reserves memory for this many rows.
   *
   * @throws {RangeError} If there is not enough memory. The stored rows are unchanged.
   */
  reserve(rows: number): void;
  /** Writes a normalized row. */
  put(slot: number, row: Float32Array): void;
  move(slots: { readonly from: number; readonly to: number }): void;
  /** Matches normalized queries against the first `rows` rows. */
  match(call: MatchCall, rows: number): Ranked;
  dispose(): void;
}

/**
 * Creates the public gallery over a backend's store. The gallery maps ids to slots and keeps the slots
 * without gaps.
 */
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
          // Rounding can raise a cosine to 1e-6 above 1.
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
