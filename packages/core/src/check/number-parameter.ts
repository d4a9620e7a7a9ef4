import { describeValue } from "../errors.ts";

/**
 * A parameter as a number. Sedna's jobs carry every parameter as a string, so "0.9" counts as 0.9.
 *
 * @throws {TypeError} when it is neither a number nor a string that spells one.
 * @throws {RangeError} when it is NaN: such a threshold would silence a miner without a word.
 */
export function numberParameter(name: string, value: unknown): number {
  const parsed = toNumber(value);
  if (parsed === undefined)
    throw new TypeError(`read ${name}: expected a number or a numeric string; got ${describeValue(value)}`);
  if (Number.isNaN(parsed)) throw new RangeError(`read ${name}: expected a number; got NaN`);
  return parsed;
}

/** Python's `float(value)` for what JSON can carry; undefined where Python raises. */
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
