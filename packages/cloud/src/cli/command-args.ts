import { UsageError } from "@sedna-js/core/check";

/**
 * Calls `make` and rethrows its argument errors (`TypeError` and `RangeError`) as {@link UsageError}, because
 * the arguments come from the command line.
 */
export async function withUsageErrors<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** Options of {@link numberOption}. */
interface NumberOptionOptions {
  readonly min: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/**
 * Returns the number in an option's text.
 * @throws {UsageError} If the text is not a number or the number is out of range.
 */
export function numberOption(
  { name, text }: { readonly name: string; readonly text: string },
  { min, max = Infinity, integer = true }: NumberOptionOptions,
): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
    throw new UsageError(
      `--${name}: expected ${integer ? "a whole number" : "a number"} from ${min}${max === Infinity ? " up" : ` to ${max}`}; got ${text || "nothing"}`,
    );
  }
  return value;
}

/** Returns the comma-separated values of an option, trimmed. */
export const listOption = (text: string | undefined): string[] =>
  text ? text.split(",").map((part) => part.trim()) : [];

/**
 * Parses a list such as `a=1,b=x` into texts by key.
 * @throws {UsageError} If the text is not such a list or a key occurs twice.
 */
export function pairsOption({
  name,
  text,
}: {
  readonly name: string;
  readonly text: string | undefined;
}): Record<string, string> {
  const pairs = listOption(text).map((pair): [string, string] => {
    const [, key, value] = /^([A-Za-z]\w*)=(.*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined)
      throw new UsageError(`--${name}: expected key=value; got ${JSON.stringify(pair)}`);
    return [key, value.trim()];
  });
  const twice = pairs.find(([key], i) => pairs.findIndex(([other]) => other === key) !== i);
  if (twice) throw new UsageError(`--${name}: expected each key once; got ${twice[0]} twice`);
  return Object.fromEntries(pairs);
}

/**
 * Returns the whole number in an option's text, at least 1.
 * @throws {UsageError} If the text is anything else.
 */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name}: expected a whole number from 1 up; got ${text}`);
  return value;
}
