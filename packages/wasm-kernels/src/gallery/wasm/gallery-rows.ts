import type { GalleryMemory } from "./gallery-exports.ts";

/** Addresses of a kernel's ranking: `k` scores and slots for each query of a scan. */
export interface Ranking {
  readonly scores: number;
  readonly slots: number;
  readonly k: number;
}

/** Rows per panel: `PANEL` in `rust/src/gallery/mod.rs`. */
const PANEL = 8;

/** Bytes of `PanelNumbers` in `rust/src/gallery/int8_panels.rs`, and bytes of a sketch. */
const PANEL_NUMBERS = 64;
const SKETCH = 64;

/** Position of a row: index `at` in a segment of `capacity` rows. */
export interface RowPosition {
  readonly address: number;
  readonly at: number;
  readonly capacity: number;
}

/** A segment to scan. The slots of its rows start at `first`. */
export interface Segment {
  readonly address: number;
  readonly capacity: number;
  readonly first: number;
  readonly rows: number;
}

/** Layout and scan of the rows of a segment. */
export interface GalleryRows {
  segmentBytes(capacity: number): number;
  put(place: RowPosition, row: Float32Array): void;
  move(from: RowPosition, to: RowPosition): void;
  /** Bytes of a packed query. */
  readonly queryBytes: number;
  /**
   * Writes the queries for `matchOne` (1 lane), `matchFour` (4 lanes, some of which may be unused), or
   * `rescore` (0 lanes).
   */
  pack(
    target: { readonly address: number; readonly lanes: 0 | 1 | 4 },
    queries: readonly Float32Array[],
  ): void;
  matchOne(segment: Segment, query: number, ranking: Ranking): void;
  /** Undefined if scanning four queries at once gains nothing. */
  matchFour?(segment: Segment, queries: number, rankings: Ranking): void;
  /** Ranks the candidates exactly. Undefined if the scan is exact. */
  rescore?(
    segment: Segment,
    query: number,
    rankings: { readonly candidates: Ranking; readonly best: Ranking },
  ): void;
}

/** Creates rows in panels of f32, `[dimension][row]`. */
export function floatRows({ exports, floats }: GalleryMemory, dimensions: number): GalleryRows {
  const panelAt = ({ address, at }: RowPosition) =>
    floats(address + 4 * PANEL * dimensions * Math.floor(at / PANEL), PANEL * dimensions);
  return {
    segmentBytes: (capacity) => 4 * capacity * dimensions,
    put(place, row) {
      const panel = panelAt(place);
      for (let d = 0, at = place.at % PANEL; d < dimensions; d++, at += PANEL) panel[at] = row[d]!;
    },
    move(from, to) {
      const source = panelAt(from);
      const target = panelAt(to);
      for (let d = 0; d < dimensions; d++)
        target[PANEL * d + (to.at % PANEL)] = source[PANEL * d + (from.at % PANEL)]!;
    },
    queryBytes: 4 * dimensions,
    pack({ address, lanes }, queries) {
      const packed = floats(address, dimensions * lanes);
      packed.fill(0);
      queries.forEach((query, lane) => query.forEach((value, d) => (packed[d * lanes + lane] = value)));
    },
    matchOne: ({ address, rows, first }, query, { scores, slots, k }) =>
      exports.float_match_one(address, rows, query, dimensions, first, scores, slots, k),
    matchFour: ({ address, rows, first }, queries, { scores, slots, k }) =>
      exports.float_match_four(address, rows, queries, dimensions, first, scores, slots, k),
  };
}

/** Creates f32 rows, one after the other, for the exact comparison after a coarse scan. */
function exactRows({ exports, floats }: GalleryMemory, dimensions: number) {
  const length = PANEL * Math.ceil(dimensions / PANEL);
  return {
    length,
    bytes: (capacity: number) => 4 * capacity * length,
    at: ({ address, at }: RowPosition) => address + 4 * length * at,
    put(address: number, row: Float32Array) {
      const target = floats(address, length);
      target.set(row);
      target.fill(0, dimensions);
    },
    rescore: (
      { address, rows, first }: Segment,
      query: number,
      { candidates, best }: { readonly candidates: Ranking; readonly best: Ranking },
    ) =>
      exports.rescore(
        address,
        rows,
        query,
        length,
        first,
        candidates.slots,
        candidates.k,
        best.scores,
        best.slots,
        best.k,
      ),
  };
}

/** Creates rows in panels of int8 with one scale per row, preceded by the exact rows. */
export function int8Rows(memory: GalleryMemory, dimensions: number): GalleryRows {
  const { exports } = memory;
  const exact = exactRows(memory, dimensions);
  const groups = exports.int8_groups(dimensions);
  // The groups of a module have either two or four dimensions.
  const panelBytes = (groups * PANEL * 4) / exports.int8_groups(4);
  const panelsOf = ({ address, capacity }: { address: number; capacity: number }) =>
    address + exact.bytes(capacity);
  const numbersOf = (segment: { address: number; capacity: number }) =>
    panelsOf(segment) + (panelBytes * segment.capacity) / PANEL;
  const quantize = (place: RowPosition) => {
    const panel = Math.floor(place.at / PANEL);
    exports.int8_put(
      exact.at(place),
      dimensions,
      place.at % PANEL,
      panelsOf(place) + panelBytes * panel,
      numbersOf(place) + PANEL_NUMBERS * panel,
    );
  };
  return {
    segmentBytes: (capacity) => exact.bytes(capacity) + ((panelBytes + PANEL_NUMBERS) * capacity) / PANEL,
    put(place, row) {
      exact.put(exact.at(place), row);
      quantize(place);
    },
    move(from, to) {
      memory.bytes(exact.at(to), exact.bytes(1)).set(memory.bytes(exact.at(from), exact.bytes(1)));
      quantize(to);
    },
    // The unpacked vector, followed by the vector packed for the scan.
    queryBytes: 4 * exact.length + 4 * groups,
    pack({ address, lanes }, queries) {
      queries.forEach((query, lane) => {
        exact.put(address, query);
        const packed = address + 4 * exact.length;
        if (lanes > 0) exports.int8_pack(address, dimensions, packed + 4 * lane, lanes);
      });
    },
    matchOne: (segment, query, { scores, slots, k }) =>
      exports.int8_match_one(
        panelsOf(segment),
        numbersOf(segment),
        segment.rows,
        query + 4 * exact.length,
        groups,
        segment.first,
        scores,
        slots,
        k,
      ),
    matchFour: (segment, queries, { scores, slots, k }) =>
      exports.int8_match_four(
        panelsOf(segment),
        numbersOf(segment),
        segment.rows,
        queries + 4 * exact.length,
        groups,
        segment.first,
        scores,
        slots,
        k,
      ),
    rescore: exact.rescore,
  };
}

/** Creates rows as sketches of 512 bits, preceded by the exact rows. */
export function binaryRows(memory: GalleryMemory, dimensions: number): GalleryRows {
  const { exports } = memory;
  const exact = exactRows(memory, dimensions);
  const work = Math.max(512, 2 ** Math.ceil(Math.log2(dimensions)));
  const sketchesOf = ({ address, capacity }: { address: number; capacity: number }) =>
    address + exact.bytes(capacity);
  const sketchOf = (place: RowPosition) => sketchesOf(place) + SKETCH * place.at;
  const writeSketch = (row: Float32Array, address: number) => {
    const [room] = memory.scratch(4 * work) as [number];
    const values = memory.floats(room, work);
    values.fill(0).set(row);
    exports.sketch(room, work, address);
  };
  return {
    segmentBytes: (capacity) => exact.bytes(capacity) + SKETCH * capacity,
    put(place, row) {
      exact.put(exact.at(place), row);
      writeSketch(row, sketchOf(place));
    },
    move(from, to) {
      memory.bytes(exact.at(to), exact.bytes(1)).set(memory.bytes(exact.at(from), exact.bytes(1)));
      memory.bytes(sketchOf(to), SKETCH).set(memory.bytes(sketchOf(from), SKETCH));
    },
    // The vector for the exact comparison, the sketch, and the working memory for computing the sketch.
    queryBytes: 4 * exact.length + SKETCH + 4 * work,
    pack({ address, lanes }, [query]) {
      exact.put(address, query!);
      if (lanes === 0) return;
      const room = address + 4 * exact.length + SKETCH;
      memory.floats(room, work).fill(0).set(query!);
      exports.sketch(room, work, address + 4 * exact.length);
    },
    matchOne: (segment, query, { scores, slots, k }) =>
      exports.sketch_match_one(
        sketchesOf(segment),
        segment.rows,
        query + 4 * exact.length,
        segment.first,
        scores,
        slots,
        k,
      ),
    rescore: exact.rescore,
  };
}
