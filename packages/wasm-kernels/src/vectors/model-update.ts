import { finiteNumber, outOfRange, typedArray, wrongType } from "../module/check.ts";

/** How the numbers of an update are written. */
export type UpdateEncoding = "f32" | "f16" | "int8" | "topk";

/** A client's vector of weights or of changes, as it came over the wire. */
export type ModelUpdate =
  | { readonly encoding: "f32"; readonly values: Float32Array }
  /** The bits of half-precision floats. */
  | { readonly encoding: "f16"; readonly values: Uint16Array }
  /** Number `i` is `values[i] * scale`, the scale rounded to f32. */
  | { readonly encoding: "int8"; readonly values: Int8Array; readonly scale: number }
  /** Number `indices[i]` is `values[i]`, all others are 0; indices ascend. */
  | { readonly encoding: "topk"; readonly values: Float32Array; readonly indices: Uint32Array };

/** What was learned of an update while it was checked. */
export interface UpdateNorm {
  /** Euclidean length, in f64. The backends agree to 12 digits; so a mean that was clipped may differ in its last bit. */
  readonly l2Norm: number;
}

const kinds = { f32: "Float32Array", f16: "Uint16Array", int8: "Int8Array", topk: "Float32Array" } as const;

/** Throws TypeError or RangeError for an update that isn't `length` numbers. Whether they are finite, a kernel sees. */
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
        { expected: "to be at least 0 and small enough that 128 times it is an f32", got: scale },
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
    outOfRange(subject, { expected: `to have ${values.length} elements (one a value)`, got: indices.length });
  let before = -1;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index <= before)
      throw new RangeError(
        `${action}: expected update.indices to ascend, got indices[${i - 1}] = ${before}, indices[${i}] = ${index}`,
      );
    before = index;
  }
  if (before >= length) outOfRange(subject, { expected: `to be below ${length}`, got: before });
}

/** By what an update is multiplied so that it is no longer than `limit`. */
export function clip({ l2Norm }: UpdateNorm, limit: number): number {
  return Math.min(1, limit / l2Norm);
}

/** Throws unless the weight of a client is a finite number above 0. */
export function checkWeight(action: string, weight: unknown): number {
  const checked = finiteNumber({ action, name: "weight" }, weight);
  if (checked <= 0) outOfRange({ action, name: "weight" }, { expected: "to be above 0", got: checked });
  return checked;
}

/** The length of an update whose squares sum up to `squares`; throws when they don't: one of them is not finite. */
export function normOf(action: string, squares: number): UpdateNorm {
  if (!Number.isFinite(squares))
    throw new RangeError(
      `${action}: expected every number of the update to be finite, got NaN or an infinity among them`,
    );
  return { l2Norm: Math.sqrt(squares) };
}
