import { describeValue, WireError } from "../errors.ts";

/** Maximum nesting depth. Deeper values are rejected, so that a verifier does not overflow its stack. */
const MAX_DEPTH = 64;

/**
 * Returns the canonical JSON text of a value, as UTF-8: names in the order of their UTF-16 code units, no
 * spaces, numbers as JavaScript writes them. Signatures are computed over this text, so that they stay valid
 * through every parser and serializer.
 *
 * @throws {WireError} If JSON cannot represent the value, or not uniquely: NaN, undefined, functions, lone
 * surrogates, cycles.
 *
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
  // JSON.stringify writes numbers as the specification requires, and -0 as 0.
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, (one) => text(one, depth + 1)).join(",")}]`;
  if (typeof value === "object" && isPlain(value)) {
    const members = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1));
    return `{${members.map((name) => `${quoted(name)}:${text((value as Record<string, unknown>)[name], depth + 1)}`).join(",")}}`;
  }
  throw new WireError(
    `write canonical JSON: expected null, booleans, finite numbers, strings, arrays and plain objects; got ${describeValue(value)}`,
  );
}

function quoted(value: string): string {
  // A lone surrogate has no UTF-8 form, and TextEncoder would replace it with another character.
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value))
    throw new WireError("write canonical JSON: expected well-formed text; got a lone surrogate");
  return JSON.stringify(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
