import { describeValue, WireError } from "../errors.ts";
import { duplicateKey } from "./duplicate-key.ts";

// Shared by the hand-written parsers of JSON messages: each field is read by its name and limits, and all
// other fields are dropped.

/** An untrusted JSON object, read field by field. Each method throws a WireError that names the field. */
export interface Fields {
  /** Path of the object, for messages. */
  readonly where: string;
  has(name: string): boolean;
  /** Returns the unchecked value, for another parser. */
  value(name: string): unknown;
  text(name: string, limits?: TextLimits): string;
  whole(name: string, limits?: NumberLimits): number;
  /** Returns a finite number. */
  number(name: string, limits?: NumberLimits): number;
  flag(name: string): boolean;
  oneOf<const Value extends string>(name: string, of: readonly Value[]): Value;
  list<Item>(
    name: string,
    options: {
      readonly least?: number;
      readonly most: number;
      readonly read: (item: unknown, where: string) => Item;
    },
  ): Item[];
  object(name: string): Fields;
}

/** Limits of a string. */
export interface TextLimits {
  /** Minimum number of characters. Default 1. */
  readonly least?: number;
  /** Maximum number of characters. Default 200. */
  readonly most?: number;
  /** Default: no control characters and no lone surrogates. */
  readonly pattern?: RegExp;
  /** Description of the pattern, for messages. */
  readonly expected?: string;
  /**
   * Whether to reject names of members of Object.prototype, such as `toString`; for a string that is used as
   * a key.
   */
  readonly asKey?: boolean;
}

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

/** What `limited` takes. */
interface LimitedOptions {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

/**
 * Returns the fields of an object.
 *
 * @throws {WireError} If the value is not an object, or has a name that reaches a prototype.
 */
export function fieldsOf(value: unknown, where: string): Fields {
  const object = checkRecord(value, where);
  const get = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
  const refuse = (name: string, expected: string): never =>
    failField(`${where}.${name}`, { expected, got: get(name) });
  const limited = (name: string, { least, most, whole }: LimitedOptions): number => {
    const given = get(name);
    if (
      typeof given === "number" &&
      given >= least &&
      given <= most &&
      (!whole || Number.isSafeInteger(given))
    )
      return given;
    const end =
      most === Infinity || most === Number.MAX_SAFE_INTEGER || most === Number.MAX_VALUE
        ? "up"
        : `to ${most}`;
    return refuse(name, `a ${whole ? "whole " : ""}number from ${least} ${end}`);
  };
  return {
    where,
    has: (name) => get(name) !== undefined,
    value: get,
    text(
      name,
      { least = 1, most = 200, pattern = PRINTABLE, expected = "no control characters", asKey = false } = {},
    ) {
      const given = get(name);
      if (asKey && typeof given === "string" && given in Object.prototype)
        return refuse(name, "a name that is no member of Object.prototype");
      return typeof given === "string" && given.length >= least && given.length <= most && pattern.test(given)
        ? given
        : refuse(name, `a string of ${least} to ${most} characters, ${expected}`);
    },
    whole: (name, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}) =>
      limited(name, { least, most, whole: true }),
    number: (name, { least = 0, most = Number.MAX_VALUE } = {}) =>
      limited(name, { least, most, whole: false }),
    flag(name) {
      const given = get(name);
      return typeof given === "boolean" ? given : refuse(name, "true or false");
    },
    oneOf(name, of) {
      const given = get(name);
      return of.find((one) => one === given) ?? refuse(name, `one of ${of.join(", ")}`);
    },
    list(name, { least = 0, most, read }) {
      const given = get(name);
      if (!Array.isArray(given) || given.length < least || given.length > most)
        return refuse(name, `a list of ${least} to ${most}`);
      return given.map((item: unknown, i) => read(item, `${where}.${name}[${i}]`));
    },
    object: (name) => fieldsOf(get(name), `${where}.${name}`),
  };
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
