/**
 * Argument checks shared by all kernels, so that every backend raises the same errors. A wrong kind
 * of value is a TypeError, a wrong value of the right kind a RangeError; the message says the action,
 * what was expected and what came.
 */

type TypedArrayName = keyof TypedArrays;

interface TypedArrays {
  Float32Array: Float32Array;
  Uint32Array: Uint32Array;
  Uint16Array: Uint16Array;
  Uint8Array: Uint8Array;
  Int8Array: Int8Array;
}

/** One argument of one call: what the message names. */
export interface Subject {
  readonly action: string;
  readonly name: string;
}

/** A short text for a value in an error message: its kind, and itself where that is short. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object" && value !== null) return value.constructor?.name ?? "an object";
  return String(value);
}

/** Throws a RangeError. */
export function outOfRange({ action, name }: Subject, mismatch: { expected: string; got: unknown }): never {
  throw new RangeError(`${action}: expected ${name} ${mismatch.expected}, got ${describe(mismatch.got)}`);
}

/** Throws a TypeError. */
export function wrongType({ action, name }: Subject, mismatch: { expected: string; got: unknown }): never {
  throw new TypeError(`${action}: expected ${name} ${mismatch.expected}, got ${describe(mismatch.got)}`);
}

/** The value as a typed array of the named class; from another realm too. */
export function typedArray<Name extends TypedArrayName>(
  subject: Subject,
  check: { kind: Name; value: unknown },
): TypedArrays[Name] {
  if (Object.prototype.toString.call(check.value) !== `[object ${check.kind}]`) {
    wrongType(subject, { expected: `to be a ${check.kind}`, got: check.value });
  }
  if (isStale(check.value as ArrayBufferView & { readonly length: number })) {
    wrongType(subject, {
      expected: "to be a view of memory as it is now",
      got: "one from before the memory grew: ask for it anew",
    });
  }
  return check.value as TypedArrays[Name];
}

/** Is it a view of memory that has grown since, which has cut it off? Such a buffer can't be viewed anew. */
function isStale(view: ArrayBufferView & { readonly length: number }): boolean {
  if (view.length > 0) return false;
  try {
    return new Uint8Array(view.buffer).length < 0;
  } catch {
    return true;
  }
}

/** Throws unless the array has exactly `length` elements. */
export function exactLength(
  subject: Subject,
  check: { array: { readonly length: number }; length: number },
): void {
  if (check.array.length !== check.length) {
    outOfRange(subject, { expected: `to have ${check.length} elements`, got: check.array.length });
  }
}

/** A number that isn't NaN; infinities pass. */
export function anyNumber(subject: Subject, value: unknown): number {
  if (typeof value !== "number") wrongType(subject, { expected: "to be a number", got: value });
  if (Number.isNaN(value)) outOfRange(subject, { expected: "to be a number", got: value });
  return value;
}

/** A finite number. */
export function finiteNumber(subject: Subject, value: unknown): number {
  const number = anyNumber(subject, value);
  if (!Number.isFinite(number)) outOfRange(subject, { expected: "to be finite", got: number });
  return number;
}

/** An integer in `least..most`; `most` is 2^31 - 1 unless told. */
export function integer(subject: Subject, check: { value: unknown; least: number; most?: number }): number {
  const { value, least, most = 0x7fffffff } = check;
  if (typeof value !== "number") wrongType(subject, { expected: "to be an integer", got: value });
  if (!Number.isInteger(value) || value < least || value > most) {
    outOfRange(subject, { expected: `to be an integer in ${least}..${most}`, got: value });
  }
  return value;
}

/** One of a closed set of texts. */
export function oneOf<Choice extends string>(
  subject: Subject,
  check: { value: unknown; choices: readonly Choice[] },
): Choice {
  const found = check.choices.find((choice) => choice === check.value);
  if (found === undefined) {
    const list = check.choices.map((choice) => JSON.stringify(choice)).join(" or ");
    outOfRange(subject, { expected: `to be ${list}`, got: check.value });
  }
  return found;
}
