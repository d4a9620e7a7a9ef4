import { anyNumber, integer, oneOf, outOfRange, typedArray, wrongType } from "../module/check.ts";

/** What names a row of a gallery. */
export type GalleryId = string | number;

/** How a gallery keeps and scans its rows; see {@link GalleryOptions}. */
export type GalleryPrecision = "f32" | "int8" | "binary";

/** What {@link VectorKernels.gallery} takes. */
export interface GalleryOptions {
  /** Numbers a vector, 1..65536. */
  readonly dimensions: number;
  /**
   * "f32" (the default) scans every row exactly: 4 bytes a number. "int8" scans rows of 1 byte a number and
   * computes the best candidates again from f32 rows beside them; "binary" scans sketches of 512 bits
   * (signs of a seeded random rotation; at least 64 dimensions), then the same. Their scores are as exact as those of "f32"; a row
   * that the scan ranks below the candidates is missed.
   */
  readonly precision?: GalleryPrecision;
}

/** What {@link Gallery.match} takes. */
export interface MatchOptions {
  /** One or more vectors of `dimensions` numbers, one after the other. */
  readonly queries: Float32Array;
  /** Most results a query, 1..1000. */
  readonly k: number;
  /**
   * Least cosine of a result. A query without results is unknown: nobody of the gallery. None unless given. By
   * rounding, the cosine of a vector with itself may be a millionth below 1.
   */
  readonly threshold?: number;
  /** Rows that an int8 or binary scan hands on to the exact comparison, at least `k`: 2 k + 8 and, for binary, 32 k but no more than 1024 or 4 k unless given. From a quarter of the rows on, all rows are compared exactly. */
  readonly candidates?: number;
}

/** A row that matched, and the cosine of the angle to the query, -1..1. */
export interface GalleryMatch {
  readonly id: GalleryId;
  readonly score: number;
}

/**
 * Vectors by id, resident where they are matched. Rows are normalised when they come in; a vector without
 * direction (all zeros) or with a number that isn't finite is refused with a RangeError.
 */
export interface Gallery {
  readonly dimensions: number;
  readonly precision: GalleryPrecision;
  /** Rows. */
  readonly size: number;
  /** Adds vectors, one after the other in `vectors`, or replaces those of known ids; all of them or, when one is refused, none. */
  set(ids: readonly GalleryId[], vectors: Float32Array): void;
  has(id: GalleryId): boolean;
  /** False when there was no such row. The memory of a row is used for the next; `dispose` gives it back. */
  delete(id: GalleryId): boolean;
  /** For each query its best rows, best first; of equal scores in any order. A query is normalised too. */
  match(options: MatchOptions): GalleryMatch[][];
  /** Gives its memory back. A second call does nothing; any other call after it throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** {@link GalleryOptions} that passed the checks. */
export type GallerySpec = Required<GalleryOptions>;

/** Throws TypeError or RangeError. */
export function checkGallery(options: GalleryOptions): GallerySpec {
  const action = "gallery";
  const dimensions = integer(
    { action, name: "dimensions" },
    { value: options.dimensions, least: 1, most: 65536 },
  );
  const precision = oneOf(
    { action, name: "precision" },
    { value: options.precision ?? "f32", choices: ["f32", "int8", "binary"] },
  );
  if (precision === "binary" && dimensions < 64)
    outOfRange(
      { action, name: "dimensions" },
      { expected: "to be at least 64 for binary sketches", got: dimensions },
    );
  return { dimensions, precision };
}

/** {@link MatchOptions} that passed the checks. */
export interface MatchCall {
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  /** -Infinity unless given. */
  readonly threshold: number;
  readonly candidates: number;
}

/** Throws TypeError or RangeError. */
export function checkMatch({ dimensions, precision }: GallerySpec, options: MatchOptions): MatchCall {
  const action = "match";
  const { vectors: queries, count } = checkVectors(
    { action, name: "queries" },
    { vectors: options?.queries, dimensions },
  );
  const k = integer({ action, name: "k" }, { value: options.k, least: 1, most: 1000 });
  const threshold =
    options.threshold === undefined ? -Infinity : anyNumber({ action, name: "threshold" }, options.threshold);
  const usual = precision === "binary" ? Math.min(32 * k, Math.max(1024, 4 * k)) : 2 * k + 8;
  const candidates =
    options.candidates === undefined
      ? usual
      : integer({ action, name: "candidates" }, { value: options.candidates, least: k });
  return { queries, count, k, threshold, candidates };
}

/** Checks the arguments of {@link Gallery.set}; the number of rows. */
export function checkSet(
  { dimensions }: GallerySpec,
  given: { readonly ids: readonly GalleryId[]; readonly vectors: Float32Array },
): number {
  const action = "set";
  const { count } = checkVectors({ action, name: "vectors" }, { vectors: given.vectors, dimensions });
  if (!Array.isArray(given.ids))
    wrongType({ action, name: "ids" }, { expected: "to be an array", got: given.ids });
  if (given.ids.length !== count)
    outOfRange(
      { action, name: "ids" },
      { expected: `to have ${count} elements (one a vector)`, got: given.ids.length },
    );
  for (let i = 0; i < count; i++) {
    const id: unknown = given.ids[i];
    if (typeof id !== "string" && typeof id !== "number")
      wrongType({ action, name: `ids[${i}]` }, { expected: "to be a string or a number", got: id });
  }
  return count;
}

/** Whole vectors, each finite and with a direction. */
function checkVectors(
  subject: { action: string; name: string },
  given: { readonly vectors: unknown; readonly dimensions: number },
): { vectors: Float32Array; count: number } {
  const vectors = typedArray(subject, { kind: "Float32Array", value: given.vectors });
  const { dimensions } = given;
  if (vectors.length % dimensions !== 0)
    outOfRange(subject, { expected: `to have a multiple of ${dimensions} elements`, got: vectors.length });
  const count = vectors.length / dimensions;
  for (let row = 0; row < count; row++) {
    let squares = 0;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) squares += vectors[i]! * vectors[i]!;
    if (!Number.isFinite(squares))
      outOfRange(
        { ...subject, name: `${subject.name}, vector ${row},` },
        { expected: "to be finite", got: squares },
      );
    if (squares === 0)
      throw new RangeError(
        `${subject.action}: expected ${subject.name}, vector ${row}, to have a direction, got all zeros`,
      );
  }
  return { vectors, count };
}
