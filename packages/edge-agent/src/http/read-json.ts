import { WireError } from "@sedna-js/core";

/**
 * Parses a response body as JSON.
 *
 * @throws {WireError} If the body is not valid JSON.
 */
export function readJson(body: Uint8Array, action: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new WireError(`${action}: expected JSON; got ${body.length} bytes that are not valid JSON`, {
      cause,
    });
  }
}
