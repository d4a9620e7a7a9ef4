/** A command line that cannot be run; the message names the part that is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A parsed command line. */
export type ParsedArgs = Readonly<Record<string, unknown>> & { readonly _: readonly string[] };

/** The options that a command declares, by name. */
export type ArgDefinitions = Readonly<Record<string, { readonly type?: string }>>;

/**
 * Rejects what the parser lets pass: options that the command does not have, and too many positional
 * arguments.
 *
 * @throws {UsageError} If an option is unknown or an argument is unexpected.
 */
export function checkArgs(given: ParsedArgs, known: ArgDefinitions): void {
  const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const names = new Set(["_", ...Object.keys(known).flatMap((name) => [name, camel(name)])]);
  for (const key of Object.keys(given)) if (!names.has(key)) throw new UsageError(`unknown option --${key}`);
  const positions = Object.values(known).filter(({ type }) => type === "positional").length;
  if (given._.length > positions) throw new UsageError(`unexpected argument ${given._[positions]}`);
}

/** Reads a TCP port. @throws {UsageError} If the text is not a whole number from 0 to 65535. */
export function portArg(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535)
    throw new UsageError(`--port: expected a whole number from 0 to 65535; got ${value}`);
  return port;
}
