import { WireError } from "../errors.ts";
import type { SecurePhase } from "./federation.ts";
import {
  parseSecureKeys,
  parseSecureSharesAnswer,
  parseSecureUnmaskAnswer,
} from "./secure-aggregation-parsers.ts";
import type { SecureAnswer } from "./secure-aggregation.ts";
import { fieldsOf, jsonOf } from "./read-fields.ts";
import { readUpdateMessage, writeUpdateMessage } from "./update-message.ts";

/** Largest answer that is JSON: shares for 254 neighbours. */
const MAX_JSON_BYTES = 2 ** 17;

/** Where an answer belongs. */
export interface SecureAnswerHead {
  readonly round: number;
  readonly modelVersion: number;
}

/** The body of `POST /secure/<phase>`: JSON with the round, but for the masked vector an update's message of its words. */
export function writeSecureAnswer(
  { phase, message }: SecureAnswer,
  { round, modelVersion }: SecureAnswerHead,
): Uint8Array<ArrayBuffer> {
  if (phase !== "masked") return new TextEncoder().encode(JSON.stringify({ ...message, round }));
  const payload = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  return writeUpdateMessage({
    head: { round, modelVersion, encoding: "f32", length: message.length, numSamples: 1 },
    payload,
  });
}

/** Most bytes that an answer of a phase has, where the model has so many parameters. */
export function maxSecureAnswerBytes(phase: SecurePhase, parameters: number): number {
  return phase === "masked" ? 4 * (parameters + 1) + 4096 : MAX_JSON_BYTES;
}

/** An answer and the round that it is for. @throws {WireError} on a body that is none of this phase. */
export function readSecureAnswer(
  phase: SecurePhase,
  body: Uint8Array,
): { readonly round: number; readonly answer: SecureAnswer } {
  if (phase === "masked") {
    const { head, payload } = readUpdateMessage(body);
    if (head.encoding !== "f32")
      throw new WireError(
        `read a masked vector: expected words of 4 bytes, as f32 has; got ${head.encoding}`,
      );
    // Copied, because words must start at a multiple of their size.
    return { round: head.round, answer: { phase, message: new Uint32Array(new Uint8Array(payload).buffer) } };
  }
  const json = jsonOf(body, { what: `an answer of phase ${phase}`, maxBytes: MAX_JSON_BYTES });
  const round = fieldsOf(json, `an answer of phase ${phase}`).whole("round");
  switch (phase) {
    case "keys":
      return { round, answer: { phase, message: parseSecureKeys(json) } };
    case "shares":
      return { round, answer: { phase, message: parseSecureSharesAnswer(json) } };
    case "unmask":
      return { round, answer: { phase, message: parseSecureUnmaskAnswer(json) } };
    default:
      return phase satisfies never;
  }
}
