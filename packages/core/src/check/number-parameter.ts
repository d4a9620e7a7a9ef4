import { describeValue } from "../errors.ts";

/**
 * Returns a parameter as a number. Sedna's jobs pass every parameter as a string, so "0.9" is read as 0.9.
 *
 * @throws {TypeError} If the value is neither a number nor a string that spells a number.
 * @throws {RangeError} If the value is NaN: as a threshold, it would silently disable a miner.
 */
export function numberParameter(name: string, value: unknown): number {
  const parsed = toNumber(value);
  if (parsed === undefined)
    throw new TypeError(`read ${name}: expected a number or a numeric string; got ${describeValue(value)}`);
  if (Number.isNaN(parsed)) throw new RangeError(`read ${name}: expected a number; got NaN`);
  return parsed;
}

/** Converts a JSON value like Python's `float(value)`. Returns `undefined` if Python raises an error. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinity) return infinity[1] === "-" ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
