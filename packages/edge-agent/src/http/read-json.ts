import { WireError } from "@sedna-js/core";

/**
 * A reply's body as JSON.
 * @throws {WireError} on bytes that are not.
 */
export function readJson(body: Uint8Array, action: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new WireError(`${action}: expected JSON; got ${body.length} bytes that are not`, { cause });
  }
}
