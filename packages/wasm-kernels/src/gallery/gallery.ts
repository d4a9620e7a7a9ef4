import { anyNumber, integer, oneOf, outOfRange, typedArray, wrongType } from "../module/check.ts";

/** Identifier of a row in a gallery. */
export type GalleryId = string | number;

/** Format in which a gallery stores and scans its rows; see {@link GalleryOptions}. */
export type GalleryPrecision = "f32" | "int8" | "binary";

/** Dimensions and precision for {@link VectorKernels.gallery}. */
export interface GalleryOptions {
  /** Elements per vector, 1..65536. */
  readonly dimensions: number;
  /**
   * "f32" (the default) scans every row exactly, at 4 bytes per element. "int8" scans rows of 1 byte per
   * element and then compares the best candidates exactly with f32 rows that it also stores. "binary" scans
   * sketches of 512 bits (signs of a seeded random rotation; requires at least 64 dimensions) and then
   * compares in the same way. The scores are as exact as with "f32", but a row that the scan ranks below the
   * candidates is missed.
   */
  readonly precision?: GalleryPrecision;
}

/** Queries and limits for {@link Gallery.match}. */
export interface MatchOptions {
  /** One or more vectors of `dimensions` elements, one after the other. */
  readonly queries: Float32Array;
  /** Maximum number of results per query, 1..1000. */
  readonly k: number;
  /**
   * Minimum cosine of a result. A query without results is unknown: no row of the gallery matches. Default:
   * no minimum. Because of rounding, the cosine of a vector with itself may be 1e-6 below 1.
   */
  readonly threshold?: number;
  /**
   * Number of rows that an int8 or binary scan passes to the exact comparison, at least `k`. Default: `2 * k
   * + 8` for int8; `min(32 * k, max(1024, 4 * k))` for binary. If the candidates are at least a quarter of
   * the rows, all rows are compared exactly.
   */
  readonly candidates?: number;
}

/** A row that matched, and the cosine of the angle between the row and the query, -1..1. */
export interface GalleryMatch {
  readonly id: GalleryId;
  readonly score: number;
}

/**
 * Vectors by id, stored in the memory of the backend that matches them. Rows are normalized when they are
 * added. A vector without direction (all zeros), or with an element that is not finite, is rejected with a
 * RangeError.
 */
export interface Gallery {
  readonly dimensions: number;
  readonly precision: GalleryPrecision;
  /** Number of rows. */
  readonly size: number;
  /**
   * Adds vectors, which follow each other in `vectors`, or replaces the vectors of known ids. If one vector
   * is rejected, no vector is added.
   */
  set(ids: readonly GalleryId[], vectors: Float32Array): void;
  has(id: GalleryId): boolean;
  /**
   * Deletes a row. Returns `false` if the row does not exist. The memory of the row is reused for later rows
   * and is released by `dispose`.
   */
  delete(id: GalleryId): boolean;
  /**
   * Returns the best rows of each query, best first. Rows with equal scores are in any order. Queries are
   * normalized.
   */
  match(options: MatchOptions): GalleryMatch[][];
  /** Releases the memory. A second call has no effect; any other later call throws an Error. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Validated {@link GalleryOptions}. */
export type GallerySpec = Required<GalleryOptions>;

/**
 * Validates the options of {@link Gallery.match}.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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

/** Validated {@link MatchOptions}. */
export interface MatchCall {
  readonly queries: Float32Array;
  readonly count: number;
  readonly k: number;
  /** Default `-Infinity`. */
  readonly threshold: number;
  readonly candidates: number;
}

/**
 * Validates the options of {@link Gallery.match}.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If an option is out of range.
 */
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

/**
 * Validates the arguments of {@link Gallery.set} and returns the number of rows.
 *
 * @throws {TypeError} If an argument has the wrong type.
 * @throws {RangeError} If a length does not match or a vector is rejected.
 */
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
      { expected: `to have ${count} elements (one per vector)`, got: given.ids.length },
    );
  for (let i = 0; i < count; i++) {
    const id: unknown = given.ids[i];
    if (typeof id !== "string" && typeof id !== "number")
      wrongType({ action, name: `ids[${i}]` }, { expected: "to be a string or a number", got: id });
  }
  return count;
}

/** Validates that there are only whole vectors, each finite and with a direction. */
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
        `${subject.action}: expected ${subject.name}, vector ${row}, to have a direction; got all zeros`,
      );
  }
  return { vectors, count };
}
