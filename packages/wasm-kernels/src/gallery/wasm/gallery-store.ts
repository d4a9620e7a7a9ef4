import { NO_SLOT, type GalleryStore, type Ranked } from "../create-gallery.ts";
import { ceilToFloat32, nextBelowFloat32 } from "../../module/float32-bound.ts";
import type { GallerySpec, MatchCall } from "../gallery.ts";
import {
  binaryRows,
  floatRows,
  int8Rows,
  type GalleryRows,
  type RowPosition,
  type Segment,
  type Ranking,
} from "./gallery-rows.ts";
import { segmentPlan } from "./gallery-segments.ts";
import type { GalleryMemory } from "./gallery-exports.ts";

/** Queries that share a scan: `QUERIES` in `rust/src/gallery/mod.rs`. */
const TOGETHER = 4;

/** Creates the storage of gallery rows in the module, in segments. */
export function wasmGalleryStore(memory: GalleryMemory, spec: GallerySpec): GalleryStore {
  const rows: GalleryRows = { f32: floatRows, int8: int8Rows, binary: binaryRows }[spec.precision](
    memory,
    spec.dimensions,
  );
  const plan = segmentPlan(rows.segmentBytes(8) / 8);
  const segments: number[] = [];

  const place = (slot: number): RowPosition => {
    const index = plan.segmentOf(slot);
    const { first, capacity } = plan.rangeOf(index);
    return { address: segments[index]!, at: slot - first, capacity };
  };

  /** Returns the segments that hold some of the first `count` rows. */
  const filled = (count: number): Segment[] =>
    segments.flatMap((address, index) => {
      const { first, capacity } = plan.rangeOf(index);
      return count > first ? [{ address, capacity, first, rows: Math.min(capacity, count - first) }] : [];
    });

  const clear = ({ scores, slots, k }: Ranking, { queries, bar }: { queries: number; bar: number }): void => {
    memory.floats(scores, queries * k).fill(bar);
    memory.words(slots, queries * k).fill(NO_SLOT);
  };

  return {
    reserve(count) {
      while (count > 0 && plan.segmentOf(count - 1) >= segments.length) {
        segments.push(memory.allocate(rows.segmentBytes(plan.rangeOf(segments.length).capacity)));
      }
    },
    put: (slot, row) => rows.put(place(slot), row),
    move: ({ from, to }) => rows.move(place(from), place(to)),
    match(call, count) {
      const { k } = call;
      const result: Ranked = {
        scores: new Float32Array(call.count * k),
        slots: new Uint32Array(call.count * k).fill(NO_SLOT),
      };
      const scanned = filled(count);
      for (let first = 0; first < call.count && count > 0;) {
        const queries = rows.matchFour && call.count - first > 1 ? Math.min(TOGETHER, call.count - first) : 1;
        const vectors = Array.from({ length: queries }, (_, i) =>
          call.queries.subarray((first + i) * spec.dimensions, (first + i + 1) * spec.dimensions),
        );
        rank({ memory, rows, clear }, { call, count, vectors, segments: scanned }, ({ scores, slots }, i) => {
          result.scores.set(memory.floats(scores, k), (first + i) * k);
          result.slots.set(memory.words(slots, k), (first + i) * k);
        });
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

interface Ranker {
  readonly memory: GalleryMemory;
  readonly rows: GalleryRows;
  clear(ranking: Ranking, start: { queries: number; bar: number }): void;
}

interface Group {
  readonly call: MatchCall;
  /** Number of rows in the gallery. */
  readonly count: number;
  /** One query, or up to four queries that share a scan. */
  readonly vectors: readonly Float32Array[];
  readonly segments: readonly Segment[];
}

/** Ranks the rows for a group of queries and passes the ranking of each query to `done`. */
function rank(
  { memory, rows, clear }: Ranker,
  { call, count, vectors, segments }: Group,
  done: (ranking: Ranking, query: number) => void,
): void {
  const { k } = call;
  const lanes = vectors.length === 1 ? 1 : TOGETHER;
  // From this number of candidates, ranking them costs more than comparing all rows exactly.
  const all = 4 * call.candidates >= count;
  const kept = rows.rescore === undefined ? 0 : all ? count : call.candidates;
  const [scores, slots, coarseScores, coarseSlots, room] = memory.scratch(
    4 * lanes * k,
    4 * lanes * k,
    4 * lanes * kept,
    4 * lanes * kept,
    rows.queryBytes * lanes,
  ) as [number, number, number, number, number];
  const best: Ranking = { scores, slots, k };
  const coarse: Ranking =
    rows.rescore === undefined ? best : { scores: coarseScores, slots: coarseSlots, k: kept };
  clear(best, { queries: lanes, bar: nextBelowFloat32(ceilToFloat32(call.threshold)) });

  if (rows.rescore !== undefined && all) {
    memory.words(coarseSlots, kept * lanes).forEach((_, i, words) => (words[i] = i % kept));
  } else {
    if (coarse !== best) clear(coarse, { queries: lanes, bar: -Infinity });
    rows.pack({ address: room, lanes }, vectors);
    for (const segment of segments) {
      if (lanes === 1) rows.matchOne(segment, room, coarse);
      else rows.matchFour!(segment, room, coarse);
    }
  }
  vectors.forEach((vector, query) => {
    const own = (ranking: Ranking): Ranking => ({
      ...ranking,
      scores: ranking.scores + 4 * query * ranking.k,
      slots: ranking.slots + 4 * query * ranking.k,
    });
    if (rows.rescore) {
      rows.pack({ address: room, lanes: 0 }, [vector]);
      for (const segment of segments)
        rows.rescore(segment, room, { candidates: own(coarse), best: own(best) });
    }
    done(own(best), query);
  });
}
