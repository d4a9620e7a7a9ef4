/** Checks of options, and what command lines share. */

export { type ArgDefinitions, checkArgs, type ParsedArgs, portArg, UsageError } from "./command-line.ts";
export { numberParameter } from "./number-parameter.ts";
