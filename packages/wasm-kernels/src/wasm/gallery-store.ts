import { NO_SLOT, type GalleryStore, type Ranked } from "../create-gallery.ts";
import { ceilToFloat32, nextBelowFloat32 } from "../float32-bound.ts";
import type { GallerySpec } from "../gallery.ts";
import { binaryRows, floatRows, int8Rows, type GalleryRows } from "./gallery-rows.ts";
import { segmentOf, segmentRange } from "./gallery-segments.ts";
import type { VectorMemory } from "./vector-exports.ts";

/** Queries that share a scan: `QUERIES` in `rust/src/gallery/mod.rs`. */
const TOGETHER = 4;

/** Where a kernel ranks: `k` scores and slots for each of the queries of a scan. */
export interface Ranking {
  readonly scores: number;
  readonly slots: number;
  readonly k: number;
}

/** The rows in the module, in segments. */
export function wasmGalleryStore(memory: VectorMemory, spec: GallerySpec): GalleryStore {
  const rows: GalleryRows = { f32: floatRows, int8: int8Rows, binary: binaryRows }[spec.precision](memory, spec.dimensions);
  const segments: number[] = [];

  const place = (slot: number): { address: number; at: number; capacity: number } => {
    const index = segmentOf(slot);
    const { first, capacity } = segmentRange(index);
    return { address: segments[index]!, at: slot - first, capacity };
  };

  /** Calls `use` with every segment that has rows. */
  const scan = (count: number, use: (segment: { address: number; capacity: number; first: number; rows: number }) => void): void => {
    segments.forEach((address, index) => {
      const { first, capacity } = segmentRange(index);
      if (count > first) use({ address, capacity, first, rows: Math.min(capacity, count - first) });
    });
  };

  const clear = ({ scores, slots, k }: Ranking, { queries, bar }: { queries: number; bar: number }): void => {
    memory.floats(scores, queries * k).fill(bar);
    memory.words(slots, queries * k).fill(NO_SLOT);
  };

  return {
    reserve(count) {
      while (count > 0 && segmentOf(count - 1) >= segments.length) {
        const address = memory.allocate(rows.segmentBytes(segmentRange(segments.length).capacity));
        segments.push(address);
      }
    },
    put: (slot, row) => rows.put(place(slot), row),
    move: ({ from, to }) => rows.move(place(from), place(to)),
    match(call, count) {
      const { k } = call;
      const result: Ranked = { scores: new Float32Array(call.count * k), slots: new Uint32Array(call.count * k).fill(NO_SLOT) };
      const bar = nextBelowFloat32(ceilToFloat32(call.threshold));
      // With fewer candidates than that, an exact comparison of all rows costs no more than the scan.
      const most = Math.max(1, Math.min(call.candidates, count));
      const coarse = rows.rescore === undefined ? 0 : most;
      for (let first = 0; first < call.count && count > 0; ) {
        const queries = call.count - first === 1 || !rows.matchFour ? 1 : Math.min(TOGETHER, call.count - first);
        const lanes = queries === 1 ? 1 : TOGETHER;
        const [scores, slots, coarseScores, coarseSlots, room] = memory.scratch(4 * lanes * k, 4 * lanes * k, 4 * lanes * coarse, 4 * lanes * coarse, rows.queryBytes * lanes) as [number, number, number, number, number];
        const best: Ranking = { scores, slots, k };
        const scanned: Ranking = rows.rescore === undefined ? best : { scores: coarseScores, slots: coarseSlots, k: coarse };
        clear(best, { queries: lanes, bar });
        if (scanned !== best) clear(scanned, { queries: lanes, bar: -Infinity });
        const vector = (query: number) => call.queries.subarray((first + query) * spec.dimensions, (first + query + 1) * spec.dimensions);
        rows.pack({ address: room, lanes }, Array.from({ length: queries }, (_, query) => vector(query)));
        scan(count, (segment) => (lanes === 1 ? rows.matchOne(segment, room, scanned) : rows.matchFour!(segment, room, scanned)));
        for (let query = 0; query < queries; query++) {
          const own = (ranking: Ranking): Ranking => ({ ...ranking, scores: ranking.scores + 4 * query * ranking.k, slots: ranking.slots + 4 * query * ranking.k });
          if (rows.rescore) {
            rows.pack({ address: room, lanes: 0 }, [vector(query)]);
            scan(count, (segment) => rows.rescore!(segment, room, { candidates: own(scanned), best: own(best) }));
          }
          result.scores.set(memory.floats(own(best).scores, k), (first + query) * k);
          result.slots.set(memory.words(own(best).slots, k), (first + query) * k);
        }
        first += queries;
      }
      return result;
    },
    dispose() {
      for (const address of segments) memory.free(address);
      segments.length = 0;
    },
  };
}

