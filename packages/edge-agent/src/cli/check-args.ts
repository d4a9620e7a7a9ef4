import { UsageError } from "./usage-error.ts";

/** What citty made of a command line. */
type ParsedArgs = Readonly<Record<string, unknown>> & { readonly _: readonly string[] };

/**
 * Refuses what citty lets pass: options that the command does not have, and more positional arguments than it takes.
 * @throws {UsageError}
 */
export function checkArgs(
  given: ParsedArgs,
  known: Readonly<Record<string, { readonly type?: string }>>,
): void {
  const camel = (name: string): string => name.replace(/-(.)/g, (_, c: string) => c.toUpperCase());
  const names = new Set(["_", ...Object.keys(known).flatMap((name) => [name, camel(name)])]);
  for (const key of Object.keys(given)) if (!names.has(key)) throw new UsageError(`unknown option --${key}`);
  const positions = Object.values(known).filter(({ type }) => type === "positional").length;
  if (given._.length > positions) throw new UsageError(`unexpected argument ${given._[positions]}`);
}

/** A port of the command line. @throws {UsageError} */
export function portArg(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535)
    throw new UsageError(`--port: expected a whole number from 0 to 65535; got ${value}`);
  return port;
}
