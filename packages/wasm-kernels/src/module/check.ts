/**
 * Argument checks shared by all kernels, so that every backend throws the same errors. A value of the wrong
 * type throws a TypeError. A value of the right type but out of range throws a RangeError. The message names
 * the action, the expected value, and the actual value.
 */

type TypedArrayName = keyof TypedArrays;

interface TypedArrays {
  Float32Array: Float32Array;
  Uint32Array: Uint32Array;
  Uint16Array: Uint16Array;
  Uint8Array: Uint8Array;
  Int8Array: Int8Array;
}

/** Argument of a call, as named in error messages. */
export interface Subject {
  readonly action: string;
  readonly name: string;
}

/**
 * Returns a short description of a value for an error message: the start of a string, the class name of an
 * object, or the value itself.
 */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object" && value !== null) return value.constructor?.name ?? "an object";
  return String(value);
}

/** Throws a RangeError that names the argument, the expected value, and the actual value. */
export function outOfRange({ action, name }: Subject, mismatch: { expected: string; got: unknown }): never {
  throw new RangeError(`${action}: expected ${name} ${mismatch.expected}; got ${describe(mismatch.got)}`);
}

/** Throws a TypeError that names the argument, the expected value, and the actual value. */
export function wrongType({ action, name }: Subject, mismatch: { expected: string; got: unknown }): never {
  throw new TypeError(`${action}: expected ${name} ${mismatch.expected}; got ${describe(mismatch.got)}`);
}

/**
 * Returns the value as a typed array of the named class. Accepts arrays from another realm.
 *
 * @throws {TypeError} If the value is of another class or its buffer is detached.
 */
export function typedArray<Name extends TypedArrayName>(
  subject: Subject,
  check: { kind: Name; value: unknown },
): TypedArrays[Name] {
  if (Object.prototype.toString.call(check.value) !== `[object ${check.kind}]`) {
    wrongType(subject, { expected: `to be a ${check.kind}`, got: check.value });
  }
  if (isStale(check.value as ArrayBufferView & { readonly length: number })) {
    wrongType(subject, {
      expected: "to be a view of current memory",
      got: "a detached view; request a new one",
    });
  }
  return check.value as TypedArrays[Name];
}

/**
 * Returns whether the buffer of the view is detached, for example because kernel memory has grown. A detached
 * buffer does not allow new views.
 */
function isStale(view: ArrayBufferView & { readonly length: number }): boolean {
  if (view.length > 0) return false;
  try {
    return new Uint8Array(view.buffer).length < 0;
  } catch {
    return true;
  }
}

/** Throws a RangeError unless the array has exactly `length` elements. */
export function exactLength(
  subject: Subject,
  check: { array: { readonly length: number }; length: number },
): void {
  if (check.array.length !== check.length) {
    outOfRange(subject, { expected: `to have ${check.length} elements`, got: check.array.length });
  }
}

/** Returns the value as a number that is not NaN. Infinities pass. */
export function anyNumber(subject: Subject, value: unknown): number {
  if (typeof value !== "number") wrongType(subject, { expected: "to be a number", got: value });
  if (Number.isNaN(value)) outOfRange(subject, { expected: "to be a number", got: value });
  return value;
}

/** Returns the value as a finite number. */
export function finiteNumber(subject: Subject, value: unknown): number {
  const number = anyNumber(subject, value);
  if (!Number.isFinite(number)) outOfRange(subject, { expected: "to be finite", got: number });
  return number;
}

/** Options of {@link integer}. */
interface IntegerOptions {
  value: unknown;
  least: number;
  most?: number;
}

/** Returns the value as an integer in `least..most`. `most` defaults to 2^31 - 1. */
export function integer(subject: Subject, check: IntegerOptions): number {
  const { value, least, most = 0x7fffffff } = check;
  if (typeof value !== "number") wrongType(subject, { expected: "to be an integer", got: value });
  if (!Number.isInteger(value) || value < least || value > most) {
    outOfRange(subject, { expected: `to be an integer in ${least}..${most}`, got: value });
  }
  return value;
}

/** Returns the value if it is one of the given strings. */
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
