import { WireError } from "../errors.ts";
import type { SecurePhase } from "./federation.ts";
import {
  parseSecureKeys,
  parseSecureSharesResponse,
  parseSecureUnmaskResponse,
} from "./secure-aggregation-parsers.ts";
import type { SecureAnswer } from "./secure-aggregation.ts";
import { fieldsOf, jsonOf } from "./read-fields.ts";
import { readUpdateMessage, writeUpdateMessage } from "./update-message.ts";

/** Maximum size of a response in JSON, in bytes: shares for 254 neighbors. */
const MAX_JSON_BYTES = 2 ** 17;

/** The round and the model version of a response. */
export interface SecureResponseHead {
  readonly round: number;
  readonly modelVersion: number;
}

/**
 * Encodes the body of `POST /secure/<phase>`: JSON with the round, or an update message with the words of the
 * masked vector.
 */
export function writeSecureResponse(
  { phase, message }: SecureAnswer,
  { round, modelVersion }: SecureResponseHead,
): Uint8Array<ArrayBuffer> {
  if (phase !== "masked") return new TextEncoder().encode(JSON.stringify({ ...message, round }));
  const payload = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  return writeUpdateMessage({
    head: { round, modelVersion, encoding: "f32", length: message.length, numSamples: 1 },
    payload,
  });
}

/** Returns the maximum size of a response of a phase, in bytes, for a model with this many parameters. */
export function maxSecureResponseBytes(phase: SecurePhase, parameters: number): number {
  return phase === "masked" ? 4 * (parameters + 1) + 4096 : MAX_JSON_BYTES;
}

/**
 * Decodes a response and its round.
 *
 * @throws {WireError} If the body is not a response of this phase.
 */
export function readSecureResponse(
  phase: SecurePhase,
  body: Uint8Array,
): { readonly round: number; readonly answer: SecureAnswer } {
  if (phase === "masked") {
    const { head, payload } = readUpdateMessage(body);
    if (head.encoding !== "f32")
      throw new WireError(
        `read a masked vector: expected encoding f32, for words of 4 bytes; got ${head.encoding}`,
      );
    // Copy, because words must start at a multiple of their size.
    return { round: head.round, answer: { phase, message: new Uint32Array(new Uint8Array(payload).buffer) } };
  }
  const json = jsonOf(body, { what: `a response of phase ${phase}`, maxBytes: MAX_JSON_BYTES });
  const round = fieldsOf(json, `a response of phase ${phase}`).whole("round");
  switch (phase) {
    case "keys":
      return { round, answer: { phase, message: parseSecureKeys(json) } };
    case "shares":
      return { round, answer: { phase, message: parseSecureSharesResponse(json) } };
    case "unmask":
      return { round, answer: { phase, message: parseSecureUnmaskResponse(json) } };
    default:
      return phase satisfies never;
  }
}
