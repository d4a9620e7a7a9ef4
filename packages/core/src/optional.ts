import { SednaError } from "./errors.ts";

/**
 * Imports a package that is optional.
 * @throws {SednaError} `missing-dependency` with the command that installs it.
 */
export async function importOptional<Module>(name: string, { action, load }: { readonly action: string; readonly load: () => Promise<Module> }): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new SednaError(`${action}: expected the package ${name}; install it with: npm install ${name}`, { code: "missing-dependency", cause });
  }
}
