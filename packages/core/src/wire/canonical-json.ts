import { describeValue, WireError } from "../errors.ts";

/** Deeper values are refused: whoever verifies them must not run out of stack. */
const MAX_DEPTH = 64;

/**
 * The one JSON text of a value, as UTF-8: names in the order of their UTF-16 code units, no spaces, numbers as JavaScript
 * writes them. What is signed is this, so that a signature survives every parser and printer on its way.
 *
 * @throws {WireError} on what JSON cannot say, or not in one way: NaN, undefined, functions, lone surrogates, cycles.
 * Source: RFC 8785, JSON Canonicalization Scheme.
 */
export function canonicalJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text(value, 0));
}

function text(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH)
    throw new WireError(`write canonical JSON: expected at most ${MAX_DEPTH} levels; got more`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoted(value);
  // JSON.stringify writes numbers as the specification asks, -0 as 0.
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, (one) => text(one, depth + 1)).join(",")}]`;
  if (typeof value === "object" && isPlain(value)) {
    const members = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1));
    return `{${members.map((name) => `${quoted(name)}:${text((value as Record<string, unknown>)[name], depth + 1)}`).join(",")}}`;
  }
  throw new WireError(
    `write canonical JSON: expected null, booleans, finite numbers, texts, arrays and plain objects; got ${describeValue(value)}`,
  );
}

function quoted(value: string): string {
  // A lone surrogate has no UTF-8, and TextEncoder would put another letter in its place.
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value))
    throw new WireError("write canonical JSON: expected well-formed text; got a lone surrogate");
  return JSON.stringify(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
