import { finiteNumber, outOfRange, typedArray, wrongType } from "../module/check.ts";

/** Encoding of the values of an update. */
export type UpdateEncoding = "f32" | "f16" | "int8" | "topk";

/** A client's vector of weights or weight deltas, as received. */
export type ModelUpdate =
  | { readonly encoding: "f32"; readonly values: Float32Array }
  /** The bits of half-precision floats. */
  | { readonly encoding: "f16"; readonly values: Uint16Array }
  /** Number `i` is `values[i] * scale`, the scale rounded to f32. */
  | { readonly encoding: "int8"; readonly values: Int8Array; readonly scale: number }
  /** Number `indices[i]` is `values[i]`, all others are 0; indices ascend. */
  | { readonly encoding: "topk"; readonly values: Float32Array; readonly indices: Uint32Array };

/** Norm of an update, computed while the update is checked. */
export interface UpdateNorm {
  /** L2 norm, in f64. The backends agree to 12 digits, so a clipped mean may differ in its last bit. */
  readonly l2Norm: number;
}

const kinds = { f32: "Float32Array", f16: "Uint16Array", int8: "Int8Array", topk: "Float32Array" } as const;

/**
 * Validates the encoding, types, and length of an update. The kernels check whether its values are finite.
 *
 * @throws {TypeError} If a part of the update has the wrong type.
 * @throws {RangeError} If the update does not have `length` values or a part is out of range.
 */
export function checkUpdate(
  update: ModelUpdate,
  { action, length }: { readonly action: string; readonly length: number },
): void {
  const encoding = (update as { encoding?: unknown } | undefined)?.encoding;
  if (typeof encoding !== "string" || !Object.hasOwn(kinds, encoding)) {
    wrongType(
      { action, name: "update.encoding" },
      { expected: `to be one of ${Object.keys(kinds).join(", ")}`, got: encoding },
    );
  }
  const subject = { action, name: "update.values" };
  const values = typedArray(subject, { kind: kinds[update.encoding], value: update.values });
  if (update.encoding === "int8") {
    const scale = finiteNumber({ action, name: "update.scale" }, update.scale);
    if (scale < 0 || !Number.isFinite(Math.fround(128 * scale)))
      outOfRange(
        { action, name: "update.scale" },
        { expected: "to be at least 0 and small enough that 128 * scale is finite in f32", got: scale },
      );
  }
  if (update.encoding === "topk") checkIndices(update, { action, length });
  else if (values.length !== length)
    outOfRange(subject, { expected: `to have ${length} elements`, got: values.length });
}

function checkIndices(
  { indices, values }: { readonly indices: Uint32Array; readonly values: Float32Array },
  { action, length }: { readonly action: string; readonly length: number },
): void {
  const subject = { action, name: "update.indices" };
  typedArray(subject, { kind: "Uint32Array", value: indices });
  if (indices.length !== values.length)
    outOfRange(subject, {
      expected: `to have ${values.length} elements (one per value)`,
      got: indices.length,
    });
  let before = -1;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index <= before)
      throw new RangeError(
        `${action}: expected update.indices to ascend; got indices[${i - 1}] = ${before}, indices[${i}] = ${index}`,
      );
    before = index;
  }
  if (before >= length) outOfRange(subject, { expected: `to be below ${length}`, got: before });
}

/** Returns the factor that scales an update to a norm of at most `limit`. */
export function clip({ l2Norm }: UpdateNorm, limit: number): number {
  return Math.min(1, limit / l2Norm);
}

/**
 * Validates that the weight of a client is a finite number above 0.
 *
 * @throws {TypeError} If the weight is not a number.
 * @throws {RangeError} If the weight is not finite or not above 0.
 */
export function checkWeight(action: string, weight: unknown): number {
  const checked = finiteNumber({ action, name: "weight" }, weight);
  if (checked <= 0) outOfRange({ action, name: "weight" }, { expected: "to be above 0", got: checked });
  return checked;
}

/**
 * Returns the norm of an update whose squares sum to `squares`.
 *
 * @throws {RangeError} If `squares` is not finite because an element of the update is not finite.
 */
export function toUpdateNorm(action: string, squares: number): UpdateNorm {
  if (!Number.isFinite(squares))
    throw new RangeError(
      `${action}: expected every number of the update to be finite; got NaN or an infinity among them`,
    );
  return { l2Norm: Math.sqrt(squares) };
}
