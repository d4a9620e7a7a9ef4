import { outOfRange, typedArray } from "../module/check.ts";

/**
 * Box scores of a batch of images in CSR form. The scores of image `i` are `scores[offsets[i] .. offsets[i +
 * 1]]`.
 */
export interface ImageScores {
  readonly scores: Float32Array;
  /**
   * One element more than there are images. Elements never decrease, and the last is at most `scores.length`.
   */
  readonly offsets: Uint32Array;
  /** Output with one byte per image. Default: a new array. */
  readonly out?: Uint8Array;
}

/** Validated {@link ImageScores}. */
export interface CheckedImageScores {
  readonly scores: Float32Array;
  readonly offsets: Uint32Array;
  readonly out: Uint8Array;
}

/**
 * Validates the scores, the offsets, and the output.
 *
 * @throws {TypeError} If an array has the wrong type.
 * @throws {RangeError} If the arrays do not fit together.
 */
export function checkImageScores(action: string, options: ImageScores): CheckedImageScores {
  const scores = typedArray({ action, name: "scores" }, { kind: "Float32Array", value: options.scores });
  const offsets = typedArray({ action, name: "offsets" }, { kind: "Uint32Array", value: options.offsets });
  const images = offsets.length - 1;
  if (images < 0) outOfRange({ action, name: "offsets" }, { expected: "to have at least 1 element", got: 0 });
  const fall = firstFall(offsets);
  if (fall > 0)
    throw new RangeError(
      `${action}: expected offsets never to decrease; got offsets[${fall - 1}] = ${offsets[fall - 1]}, offsets[${fall}] = ${offsets[fall]}`,
    );
  if (offsets[images]! > scores.length) {
    outOfRange(
      { action, name: "offsets" },
      { expected: `to end at most at ${scores.length} (scores.length)`, got: offsets[images] },
    );
  }
  return { scores, offsets, out: checkOut(action, { out: options.out, length: images }) };
}

/** Returns the index of the first offset that is below the previous offset, or 0 if no offset is. */
function firstFall(offsets: Uint32Array): number {
  // Read as signed: V8 compares numbers that may exceed 2^31 as f64, which takes three times as long. An
  // offset of 2^31 or more is invalid anyway, because no array of scores is that long. The second comparison
  // excludes a decrease that only the sign causes.
  const signed = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length);
  for (let i = 1; i < signed.length; i++) {
    if (signed[i]! < signed[i - 1]! && offsets[i]! < offsets[i - 1]!) return i;
  }
  return 0;
}

/**
 * Returns the caller's output array, or a new array.
 *
 * @throws {TypeError} If `out` is not a Uint8Array.
 * @throws {RangeError} If `out` has the wrong length.
 */
export function checkOut(
  action: string,
  { out, length }: { out: Uint8Array | undefined; length: number },
): Uint8Array {
  if (out === undefined) return new Uint8Array(length);
  const array = typedArray({ action, name: "out" }, { kind: "Uint8Array", value: out });
  if (array.length !== length)
    outOfRange({ action, name: "out" }, { expected: `to have ${length} elements`, got: array.length });
  return array;
}
