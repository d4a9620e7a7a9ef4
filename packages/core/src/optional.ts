import { messageOf, SednaError } from "./errors.ts";

/**
 * Imports a package that is optional.
 * @throws {SednaError} `missing-dependency`, with the command that installs it, or with why it does not load.
 */
export async function importOptional<Module>(
  name: string,
  { action, load }: { readonly action: string; readonly load: () => Promise<Module> },
): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const why = messageOf(cause);
    const code = (cause as { readonly code?: unknown } | null)?.code;
    if (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") {
      throw new SednaError(`${action}: expected the package ${name}; install it with: npm install ${name}`, {
        code: "missing-dependency",
        cause,
      });
    }
    // It is there and does not load: a native part that does not fit, or a chunk that the network did not give.
    throw new SednaError(`${action}: expected the package ${name} to load; got: ${why}`, {
      code: "missing-dependency",
      retryable: true,
      cause,
    });
  }
}
