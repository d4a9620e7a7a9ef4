import { UsageError } from "./usage-error.ts";

/** What a library call says of its arguments, said of the command line. */
export async function asUsage<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

/** @throws {UsageError} on an option that is not known, and on what is none. */
export function checkArgs(given: { readonly _: readonly string[] } & Readonly<Record<string, unknown>>, args: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(given)) {
    const isKnown = key === "_" || Object.keys(args).some((name) => name === key || name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) === key);
    if (!isKnown) throw new UsageError(`unknown option --${key}`);
  }
  if (given._.length > 0) throw new UsageError(`unexpected argument ${given._[0]}`);
}

/** A whole number from 1 up. @throws {UsageError} on anything else. */
export function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${name}: expected a whole number from 1 up; got ${text}`);
  return value;
}
