import { describeValue, WireError } from "../errors.ts";
import { duplicateKey } from "./duplicate-key.ts";

// Shared by the hand-written parsers of JSON messages: each field is read by its name and limits, and all
// other fields are dropped.

/** An untrusted JSON object, read field by field. Each method throws a WireError that names the field. */
export interface Fields {
  /** Path of the object, for messages. */
  readonly where: string;
  /** Rejects all other names: one of them may be a name that the author of the message relies on. */
  only(...names: readonly string[]): Fields;
  has(name: string): boolean;
  names(): readonly string[];
  /** Returns the unchecked value, for another parser. */
  value(name: string): unknown;
  text(name: string, limits?: TextLimits): string;
  whole(name: string, limits?: NumberLimits): number;
  /** Returns a finite number. */
  number(name: string, limits?: NumberLimits): number;
  flag(name: string): boolean;
  oneOf<const Value extends string>(name: string, of: readonly Value[]): Value;
  list<Item>(name: string, options: ListOptions<Item>): Item[];
  object(name: string): Fields;
}

/** Limits of a list, and the parser of its items. */
export interface ListOptions<Item> {
  /** Minimum number of items. Default 0. */
  readonly least?: number;
  /** Maximum number of items. Default: no limit. */
  readonly most?: number;
  readonly read: (item: unknown, where: string) => Item;
}

/** Limits of a string. */
export interface TextLimits {
  /** Minimum number of characters. Default 1. */
  readonly least?: number;
  /** Maximum number of characters. Default 200. */
  readonly most?: number;
  /** Characters that the string must consist of. Default: no control characters and no lone surrogates. */
  readonly pattern?: RegExp;
  /** Description of the pattern, for messages. */
  readonly expected?: string;
  /**
   * Whether to reject names of members of Object.prototype, such as `toString`; for a string that is used as
   * a key.
   */
  readonly asKey?: boolean;
}

/** A string without limits. */
export const anyText: TextLimits = {
  least: 0,
  most: Infinity,
  pattern: /^[^]*$/,
  expected: "of any characters",
};

/** ASCII without spaces and control characters. */
export const visibleAscii = { pattern: /^[\x21-\x7e]*$/, expected: "visible ASCII" } as const;

/** Returns the limits of a number of bytes in hexadecimal digits. */
export const hexText = (bytes: number): TextLimits => ({
  least: 2 * bytes,
  most: 2 * bytes,
  pattern: /^[a-f0-9]*$/,
  expected: "hexadecimal digits in lower case",
});

/** Limits of a number, inclusive. */
export interface NumberLimits {
  /** Minimum. Default 0. */
  readonly least?: number;
  /** Maximum. Default: 2^53 - 1 for integers, otherwise any finite number. */
  readonly most?: number;
}

const FORBIDDEN = ["__proto__", "constructor", "prototype"];
/** No control characters, and no lone surrogates, which UTF-8 cannot represent. */
const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;

/**
 * Maximum number of lists and objects in a message, far more than any message has. Creating them is the main
 * cost of a hostile text.
 */
const MAX_PARTS = 200_000;

/**
 * Checks that a JSON text has at most `most` lists and objects, before it is parsed. Brackets in strings
 * count too.
 *
 * @throws {WireError} If the text has more.
 */
export function checkParts(
  json: string,
  { what, most }: { readonly what: string; readonly most: number },
): void {
  let count = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = json.indexOf(bracket); at >= 0; at = json.indexOf(bracket, at + 1)) {
      if (++count > most)
        throw new WireError(`read ${what}: expected at most ${most} lists and objects; got more`);
    }
  }
}

/**
 * Parses a message. Text and bytes are parsed as JSON without duplicate names; any other value is taken as a
 * result of `JSON.parse`.
 *
 * @throws {WireError} If the message is not JSON, has a duplicate name, or is longer than `maxBytes`.
 */
export function jsonOf(
  body: unknown,
  { what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): unknown {
  const isText = typeof body === "string";
  if (!isText && !(body instanceof Uint8Array)) return body;
  if (body.length > maxBytes)
    throw new WireError(`read ${what}: expected at most ${maxBytes} bytes; got ${body.length}`);
  let json: string;
  let value: unknown;
  try {
    json = isText ? body : new TextDecoder("utf-8", { fatal: true }).decode(body);
    checkParts(json, { what, most: MAX_PARTS });
    value = JSON.parse(json);
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    throw new WireError(
      `read ${what}: expected JSON; got ${body.length} ${isText ? "characters" : "bytes"} that are not`,
      { cause },
    );
  }
  const twice = duplicateKey(json);
  if (twice !== undefined)
    throw new WireError(`read ${what}: expected each name once; got ${describeValue(twice)} again`);
  return value;
}

/**
 * Returns the fields of an object.
 *
 * @throws {WireError} If the value is not an object, or has a name that reaches a prototype.
 */
export function fieldsOf(value: unknown, where: string): Fields {
  const object = checkRecord(value, where);
  const get = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
  const path = (name: string): string => `${where}.${name}`;
  const fields: Fields = {
    where,
    only(...names) {
      const other = Object.keys(object).find((name) => !names.includes(name));
      return other === undefined ? fields : failField(where, { expected: names.join(", "), got: other });
    },
    has: (name) => get(name) !== undefined,
    names: () => Object.keys(object),
    value: get,
    text: (name, limits) => readText(get(name), path(name), limits),
    whole: (name, limits) => readWhole(get(name), path(name), limits),
    number: (name, limits) => readNumber(get(name), path(name), limits),
    flag(name) {
      const given = get(name);
      return typeof given === "boolean"
        ? given
        : failField(path(name), { expected: "true or false", got: given });
    },
    oneOf: (name, of) => readOneOf(get(name), path(name), of),
    list: (name, options) => readList(get(name), path(name), options),
    object: (name) => fieldsOf(get(name), path(name)),
  };
  return fields;
}

/** Reads a string. @throws {WireError} If the value is not a string within the limits. */
export function readText(value: unknown, where: string, limits: TextLimits = {}): string {
  const { least = 1, most = 200, pattern = PRINTABLE, expected = "no control characters", asKey } = limits;
  if (asKey && typeof value === "string" && value in Object.prototype)
    return failField(where, { expected: "a name that is no member of Object.prototype", got: value });
  if (typeof value === "string" && value.length >= least && value.length <= most && pattern.test(value))
    return value;
  const range = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return failField(where, { expected: `a string of ${range} characters, ${expected}`, got: value });
}

/** Reads a safe integer. @throws {WireError} If the value is not one within the limits. */
export function readWhole(value: unknown, where: string, limits: NumberLimits = {}): number {
  const { least = 0, most = Number.MAX_SAFE_INTEGER } = limits;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  const range = most === Number.MAX_SAFE_INTEGER ? "up" : `to ${most}`;
  return failField(where, { expected: `a whole number from ${least} ${range}`, got: value });
}

/** Reads a finite number. @throws {WireError} If the value is not one within the limits. */
export function readNumber(value: unknown, where: string, limits: NumberLimits = {}): number {
  const { least = 0, most = Number.MAX_VALUE } = limits;
  if (typeof value === "number" && value >= least && value <= most) return value;
  const range = most === Number.MAX_VALUE ? "up" : `to ${most}`;
  return failField(where, {
    expected: least === -Number.MAX_VALUE ? "a finite number" : `a number from ${least} ${range}`,
    got: value,
  });
}

/** Reads one of a few strings. @throws {WireError} If the value is another. */
export function readOneOf<const Value extends string>(
  value: unknown,
  where: string,
  of: readonly Value[],
): Value {
  return (
    of.find((one) => one === value) ??
    failField(where, { expected: `${of.length > 1 ? "one of " : ""}${of.join(", ")}`, got: value })
  );
}

/** Reads a list. @throws {WireError} If the length is not allowed, or an item is invalid. */
export function readList<Item>(value: unknown, where: string, options: ListOptions<Item>): Item[] {
  const { least = 0, most = Infinity, read } = options;
  if (Array.isArray(value) && value.length >= least && value.length <= most)
    return value.map((item: unknown, i) => read(item, `${where}[${i}]`));
  const expected = most === Infinity ? `a list of ${least} or more` : `a list of ${least} to ${most}`;
  return failField(where, { expected, got: value });
}

/**
 * Checks a value that another parser will read: at most `levels` levels, and no name that reaches a
 * prototype.
 *
 * @throws {WireError} If the value is deeper, or has such a name.
 */
export function checkNames(
  value: unknown,
  { where, levels = 16 }: { readonly where: string; readonly levels?: number },
): unknown {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= levels && level.some((one) => typeof one === "object" && one !== null))
      failField(where, { expected: `at most ${levels} levels`, got: value });
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue;
      if (!Array.isArray(one)) checkRecord(one, where);
      for (const inner of Object.values(one))
        if (typeof inner === "object" && inner !== null) next.push(inner);
    }
    level = next;
  }
  return value;
}

/** Throws a WireError with the expected and the actual value of a field. */
export function failField(
  where: string,
  { expected, got }: { readonly expected: string; readonly got: unknown },
): never {
  throw new WireError(`read ${where}: expected ${expected}; got ${describeValue(got)}`);
}

function checkRecord(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    failField(where, { expected: "an object", got: value });
  const stray = FORBIDDEN.find((name) => Object.hasOwn(value, name));
  if (stray !== undefined) failField(where, { expected: "no reserved names", got: stray });
  return value as Record<string, unknown>;
}
