import { describeValue, WireError } from "../errors.ts";
import { duplicateKey } from "./duplicate-key.ts";
import { MAX_BYTES } from "./manifest-limits.ts";

const MAX_LIST = 1000;

/** Parses JSON of at most 1 MiB. @throws {WireError} If the bytes are not JSON. */
export function parseJson(bytes: Uint8Array, action: string): unknown {
  if (bytes.length > MAX_BYTES)
    throw new WireError(`${action}: expected at most ${MAX_BYTES} bytes; got ${bytes.length}`);
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(json);
  } catch (cause) {
    throw new WireError(`${action}: expected JSON; got ${bytes.length} bytes that are not`, { cause });
  }
  const twice = duplicateKey(json);
  if (twice !== undefined)
    throw new WireError(`${action}: expected each name once; got ${describeValue(twice)} again`);
  return value;
}

/** Names of models, files, and keys: letters, digits, ".", "_", and "-", at most 128, without "..". */
export const NAME = /^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Throws the `WireError` of a field if a condition does not hold. */
export const at = (
  where: string,
  needed: readonly string[],
  optional: readonly string[] = [],
): { where: string; needed: readonly string[]; optional: readonly string[] } => ({ where, needed, optional });

/** Options of {@link record}. */
interface RecordOptions {
  readonly where: string;
  readonly needed?: readonly string[];
  readonly optional?: readonly string[];
}

/**
 * Reads a JSON object with these names and no others: an unknown name may be one that its author relies on.
 */
export function record(value: unknown, { where, needed, optional }: RecordOptions): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(where, { expected: "an object", got: value });
  const names = Object.keys(value);
  for (const name of ["__proto__", "constructor", "prototype"])
    if (names.includes(name)) fail(where, { expected: "no reserved names", got: name });
  if (needed) {
    for (const name of needed)
      if (!names.includes(name)) fail(`${where}.${name}`, { expected: "a value", got: undefined });
    for (const name of names)
      if (!needed.includes(name) && !optional?.includes(name))
        fail(where, { expected: `${[...needed, ...(optional ?? [])].join(", ")}`, got: name });
  }
  return value as Record<string, unknown>;
}

/** Options of {@link list}. */
interface ListOptions {
  readonly where: string;
  readonly least?: number;
  readonly most?: number;
}

/** Reads a list. @throws {WireError} If the value is not a list of an allowed length. */
export function list(value: unknown, { where, least = 0, most = MAX_LIST }: ListOptions): unknown[] {
  return Array.isArray(value) && value.length >= least && value.length <= most
    ? value
    : fail(where, { expected: `a list of ${least} to ${most}`, got: value });
}

/** Options of {@link text}. */
interface TextOptions {
  readonly where: string;
  readonly pattern: RegExp;
  readonly expected: string;
}

/** Reads a string. @throws {WireError} If the value is not a string that matches the pattern. */
export function text(value: unknown, { where, pattern, expected }: TextOptions): string {
  return typeof value === "string" && pattern.test(value) ? value : fail(where, { expected, got: value });
}

/** Options of {@link whole}. */
interface WholeOptions {
  readonly where: string;
  readonly least: number;
  readonly most?: number;
}

/** Reads a whole number. @throws {WireError} If the value is outside the range. */
export function whole(
  value: unknown,
  { where, least, most = Number.MAX_SAFE_INTEGER }: WholeOptions,
): number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
    ? (value as number)
    : fail(where, { expected: `a whole number from ${least} to ${most}`, got: value });
}

/** Reads a finite number. @throws {WireError} If the value is not one. */
export function number(value: unknown, where: string): number {
  return typeof value === "number" && value >= 0 && value < Infinity
    ? value
    : fail(where, { expected: "a number from 0 up", got: value });
}

/** Reads one of a few strings. @throws {WireError} If the value is another. */
export function oneOf<const Value extends string>(
  value: unknown,
  { where, of }: { readonly where: string; readonly of: readonly Value[] },
): Value {
  return of.find((one) => one === value) ?? fail(where, { expected: `one of ${of.join(", ")}`, got: value });
}

/** Reads a list of strings. @throws {WireError} If an entry is not a string. */
export function listed(
  value: unknown,
  { where, paths }: { readonly where: string; readonly paths: ReadonlySet<string> },
): string {
  return typeof value === "string" && paths.has(value)
    ? value
    : fail(where, { expected: "the path of a file that the manifest lists", got: value });
}

/** Reads base64 of a fixed number of bytes. @throws {WireError} If the value is not base64 of that length. */
export function base64(
  value: unknown,
  { where, bytes }: { readonly where: string; readonly bytes: number },
): string {
  const length = 4 * Math.ceil(bytes / 3);
  const good =
    typeof value === "string" &&
    value.length === length &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(value) &&
    atob(value).length === bytes;
  return good ? value : fail(where, { expected: `${bytes} bytes in base64`, got: value });
}

/** Throws a `WireError` if a name occurs twice. */
export function unique(names: readonly string[], where: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(where, { expected: "each once", got: `${twice} twice` });
}

/** Throws the `WireError` of a field: what was expected, what came. */
export function fail(
  where: string,
  { expected, got }: { readonly expected: string; readonly got: unknown },
): never {
  throw new WireError(`read ${where}: expected ${expected}; got ${describeValue(got)}`);
}
