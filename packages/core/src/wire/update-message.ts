import { checksum } from "@sedna-js/wasm-kernels";
import { WireError } from "../errors.ts";
import { UPDATE_ENCODINGS } from "./federation-parsers.ts";
import type { UpdateHead, UpdateMessage } from "./federation.ts";
import { fieldsOf, jsonOf, type Fields } from "./read-fields.ts";

// Wire format of an update: four bytes of head length (little-endian), a JSON head, padded with spaces so
// that the payload starts at a multiple of 8, and the payload.

const LENGTH_BYTES = 4;
const ALIGNMENT = 8;
/** Maximum size of a head, in bytes; heads have some 200 bytes. */
const MAX_HEAD_BYTES = 4096;
const MAX_PARAMETERS = 2 ** 30 - 1;
/** Maximum scale of int8: 128 times the scale is still a float32. */
const MAX_SCALE = (2 - 2 ** -23) * 2 ** 120;

/** Returns the size of the payload that a head declares, in bytes. */
export function payloadBytes({
  encoding,
  length,
  entries = 0,
}: Pick<UpdateHead, "encoding" | "length" | "entries">): number {
  switch (encoding) {
    case "f32":
      return 4 * length;
    case "f16":
      return 2 * length;
    case "int8":
      return length;
    case "topk":
      return 8 * entries;
    default:
      return encoding satisfies never;
  }
}

/**
 * Encodes an update and computes its checksum.
 *
 * @throws {WireError} If {@link readUpdateMessage} would reject the head, or the length of the payload does
 * not match the head.
 */
export function writeUpdateMessage({
  head,
  payload,
}: {
  readonly head: Omit<UpdateHead, "checksum">;
  readonly payload: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const checked = readHead({ ...head, checksum: checksum(payload) });
  checkLength(payload.length, checked);
  const text = new TextEncoder().encode(JSON.stringify(checked));
  const start = Math.ceil((LENGTH_BYTES + text.length) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(start + payload.length);
  new DataView(bytes.buffer).setUint32(0, start - LENGTH_BYTES, true);
  bytes.fill(0x20, LENGTH_BYTES, start);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(payload, start);
  return bytes;
}

/**
 * Returns the head at the start of a message and the offset of the payload, or `undefined` if more bytes are
 * needed. The payload may still be missing: a reader reads {@link payloadBytes} more bytes, and compares
 * their checksum.
 *
 * @throws {WireError} If the bytes cannot be the start of a head.
 */
export function readUpdateHead(
  bytes: Uint8Array,
): { readonly head: UpdateHead; readonly headBytes: number } | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true);
  if (length === 0 || length > MAX_HEAD_BYTES || (LENGTH_BYTES + length) % ALIGNMENT !== 0) {
    throw new WireError(
      `read an update: expected a head of 1 to ${MAX_HEAD_BYTES} bytes, which plus 4 is a multiple of ${ALIGNMENT}; got ${length}`,
    );
  }
  const headBytes = LENGTH_BYTES + length;
  if (bytes.length < headBytes) return undefined;
  return {
    head: readHead(
      jsonOf(bytes.subarray(LENGTH_BYTES, headBytes), { what: "an update's head", maxBytes: MAX_HEAD_BYTES }),
    ),
    headBytes,
  };
}

/**
 * Decodes an update from all of its bytes. The payload is a view of the bytes. The kernels check whether its
 * numbers are finite.
 *
 * @throws {WireError} If the bytes are not an update, are truncated or too long, or do not match the
 * checksum.
 */
export function readUpdateMessage(bytes: Uint8Array): UpdateMessage {
  const start = readUpdateHead(bytes);
  if (!start) throw new WireError(`read an update: expected a complete head; got ${bytes.length} bytes`);
  const payload = bytes.subarray(start.headBytes);
  checkLength(payload.length, start.head);
  const sum = checksum(payload);
  if (sum !== start.head.checksum)
    throw new WireError(
      `read an update: expected a payload of checksum ${start.head.checksum}; got one of ${sum}`,
    );
  return { head: start.head, payload };
}

function readHead(value: unknown): UpdateHead {
  const head = fieldsOf(value, "an update's head");
  const encoding = head.oneOf("encoding", UPDATE_ENCODINGS);
  const length = head.whole("length", { least: 1, most: MAX_PARAMETERS });
  return {
    round: head.whole("round"),
    modelVersion: head.whole("modelVersion"),
    encoding,
    length,
    numSamples: head.whole("numSamples", { least: 1 }),
    ...(encoding === "int8" && { scale: head.number("scale", { most: MAX_SCALE }) }),
    ...(encoding === "topk" && { entries: head.whole("entries", { most: length }) }),
    checksum: head.whole("checksum", { most: 2 ** 32 - 1 }),
    ...(head.has("metrics") && { metrics: readMetrics(head.object("metrics")) }),
  };
}

function readMetrics(metrics: Fields): NonNullable<UpdateHead["metrics"]> {
  return {
    ...(metrics.has("loss") && { loss: metrics.number("loss", { least: -Number.MAX_VALUE }) }),
    ...(metrics.has("accuracy") && { accuracy: metrics.number("accuracy", { most: 1 }) }),
  };
}

function checkLength(got: number, head: UpdateHead): void {
  if (got !== payloadBytes(head))
    throw new WireError(
      `read an update: expected ${payloadBytes(head)} bytes of payload (${head.encoding}, ${head.length} parameters); got ${got}`,
    );
}
