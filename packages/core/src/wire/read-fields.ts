import { describeValue, WireError } from "../errors.ts";
import { duplicateKey } from "./duplicate-key.ts";

// What the hand-written parsers of JSON messages share: each field is asked for by its name and its limits, and all else is
// left out.

/** A JSON object from outside, read field by field. Each method throws a WireError that names the field. */
export interface Fields {
  /** Where it is, for messages. */
  readonly where: string;
  has(name: string): boolean;
  /** As it came; for what another parser reads. */
  value(name: string): unknown;
  text(name: string, limits?: TextLimits): string;
  whole(name: string, limits?: NumberLimits): number;
  /** A finite number. */
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

/** Limits of a text. */
export interface TextLimits {
  /** Characters. Default 1. */
  readonly least?: number;
  /** Characters. Default 200. */
  readonly most?: number;
  /** Default: anything but control characters and lone surrogates. */
  readonly pattern?: RegExp;
  /** What the pattern asks for, in words. */
  readonly expected?: string;
  /** Refuses the names that every object has, such as `toString`: for a text that someone will use as a key. */
  readonly asKey?: boolean;
}

/** Limits of a number, both included. */
export interface NumberLimits {
  /** Default 0. */
  readonly least?: number;
  /** Default: 2^53 - 1 of whole numbers, else any finite number. */
  readonly most?: number;
}

const FORBIDDEN = ["__proto__", "constructor", "prototype"];
/** Neither control characters nor half of a surrogate pair, which UTF-8 cannot say. */
const PRINTABLE = /^[^\p{Cc}\p{Cs}]*$/u;

/** Lists and objects of a message, far more than any has. Building them is what a hostile text costs most by. */
const MAX_PARTS = 200_000;

/** Throws a WireError where a JSON text has more lists and objects than so many, before it is built; brackets in strings count too. */
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
 * A message as a value: text and bytes are read as JSON, in which each name comes once; anything else is taken for what
 * `JSON.parse` gave.
 * @throws {WireError} on what is no JSON, and on more than `maxBytes`.
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

/** The fields of an object. @throws {WireError} on what is none, or has a name that reaches a prototype. */
export function fieldsOf(value: unknown, where: string): Fields {
  const object = checkRecord(value, where);
  const get = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
  const refuse = (name: string, expected: string): never =>
    failField(`${where}.${name}`, { expected, got: get(name) });
  const limited = (
    name: string,
    { least, most, whole }: { readonly least: number; readonly most: number; readonly whole: boolean },
  ): number => {
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
        return refuse(name, "a name that not every object has");
      return typeof given === "string" && given.length >= least && given.length <= most && pattern.test(given)
        ? given
        : refuse(name, `a text of ${least} to ${most} characters, ${expected}`);
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
 * A value that another parser will read: at most so many levels, and no name in it that reaches a prototype.
 * @throws {WireError} on others.
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

/** Throws a WireError: what was expected of a field, and what came. */
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
  if (stray !== undefined) failField(where, { expected: "names of its own", got: stray });
  return value as Record<string, unknown>;
}
