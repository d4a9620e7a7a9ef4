import { WireError } from "@sedna-js/core";
import { payloadBytes, readUpdateHead, type UpdateHead } from "@sedna-js/core/wire";
import type { ModelUpdate, VectorKernels } from "@sedna-js/wasm-kernels";
import { checkEntries, rejection, type Rejection, type UpdateLimits } from "./validate-update.ts";

/**
 * A message that is complete. `bytes` may be a view of kernel memory, which moves: read it again after each
 * wait.
 */
export interface UploadMessage {
  /** Size of the whole message, in bytes. */
  readonly total: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What {@link decodeUpload} checks against. */
export interface DecodeContext {
  /** The round in the upload's URL. */
  readonly round: number;
  readonly limits: UpdateLimits;
  readonly kernels: Pick<VectorKernels, "checksum">;
}

/** An update whose message was checked as far as its shape. */
export interface DecodedUpdate {
  readonly head: UpdateHead;
  /** The checksum as 8 hexadecimal digits. */
  readonly digest: string;
  /**
   * The numbers, as a view of the message. Call it again after a wait: the message's memory may have moved.
   */
  update(): ModelUpdate;
}

/**
 * Decodes an upload once: reads the head and checks round, length, checksum, encoding, and shape. Bad input
 * gives a rejection and never an error.
 */
export function decodeUpload(
  message: UploadMessage,
  { round, limits, kernels }: DecodeContext,
): DecodedUpdate | Rejection {
  const start = readHead(message);
  if ("rejected" in start) return start;
  const { head, headBytes } = start;
  if (head.round !== round)
    return rejection("wrong-round", {
      expected: `an update of round ${round}, as in its URL`,
      got: head.round,
    });
  const payload = message.bytes.subarray(headBytes);
  if (payload.length !== payloadBytes(head))
    return rejection("wrong-length", {
      expected: `${payloadBytes(head)} bytes of payload, as in its head`,
      got: payload.length,
    });
  const checksum = kernels.checksum(payload);
  if (checksum !== head.checksum)
    return rejection("wrong-digest", { expected: `a payload with checksum ${head.checksum}`, got: checksum });
  if (limits.encoding !== undefined && head.encoding !== limits.encoding)
    return rejection("wrong-shape", {
      expected: `the plan's encoding, ${limits.encoding}`,
      got: head.encoding,
    });
  if (head.length !== limits.length)
    return rejection("wrong-shape", { expected: `${limits.length} parameters`, got: head.length });
  const update = (): ModelUpdate => updateView(head, message.bytes.subarray(headBytes));
  return (
    checkEntries(update(), limits) ?? { head, digest: head.checksum.toString(16).padStart(8, "0"), update }
  );
}

function readHead({
  bytes,
  total,
}: UploadMessage): { readonly head: UpdateHead; readonly headBytes: number } | Rejection {
  try {
    return (
      readUpdateHead(bytes) ??
      rejection("wrong-length", { expected: "a head", got: `${total} bytes that end before it does` })
    );
  } catch (error) {
    if (error instanceof WireError) return { rejected: "wrong-shape", error: error.message };
    throw error;
  }
}

/** A payload as typed arrays for the kernels. Payloads begin at a multiple of 8 bytes. */
function updateView(
  { encoding, length, entries = 0, scale = 0 }: UpdateHead,
  { buffer, byteOffset: at }: Uint8Array<ArrayBuffer>,
): ModelUpdate {
  switch (encoding) {
    case "f32":
      return { encoding, values: new Float32Array(buffer, at, length) };
    case "f16":
      return { encoding, values: new Uint16Array(buffer, at, length) };
    case "int8":
      return { encoding, values: new Int8Array(buffer, at, length), scale };
    case "topk":
      return {
        encoding,
        indices: new Uint32Array(buffer, at, entries),
        values: new Float32Array(buffer, at + 4 * entries, entries),
      };
    default:
      return encoding satisfies never;
  }
}
