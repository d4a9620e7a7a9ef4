import {
  anyText,
  failField,
  type Fields,
  fieldsOf,
  jsonOf,
  type TextLimits,
  visibleAscii,
} from "./read-fields.ts";

// Wire format of a sample: four bytes of head length (little-endian), a JSON head, and the payload.

/** Identity of a sample, set when the sample is sent. */
export interface SampleStamp {
  /** Idempotency key: visible ASCII, at most 200 characters. A receiver keeps one sample per ID. */
  readonly id: string;
  /** Device time, in unix ms. */
  readonly createdAt: number;
}

/** Description of a sample. */
export interface SampleDescription {
  readonly device: string;
  /**
   * Content of the payload: `features`, `crop`, `blurred`, `full`, `report` or another word in kebab-case.
   */
  readonly kind: string;
  /** Media type of the payload. */
  readonly contentType: string;
  /** Model that evaluated the sample. */
  readonly model?: { readonly name: string; readonly version: number };
  /** Why the sample was kept, such as `hard`. */
  readonly reason: string;
  /** Result of the little model: detection rows, or a probability vector. */
  readonly result?: readonly number[] | readonly (readonly number[])[];
  /** Width of the image in the payload, in pixels; `height` is its height. */
  readonly width?: number;
  readonly height?: number;
}

/** The head of a sample message. */
export interface SampleHead extends SampleStamp, SampleDescription {}

/** A sample in wire format. */
export interface SampleUpload {
  readonly head: SampleHead;
  /** A view of the message, not a copy. */
  readonly payload: Uint8Array;
}

/** Media type of a sample message. */
export const SAMPLE_UPLOAD_TYPE = "application/vnd.sedna.sample";

const LENGTH_BYTES = 4;
/** Maximum size of a head, in bytes; enough for some ten thousand numbers. */
const MAX_HEAD_BYTES = 2 ** 18;
const MAX_TEXT = 200;
const WHERE = "sample";
const ANY_TEXT: TextLimits = { ...anyText, least: 1, most: MAX_TEXT };

/**
 * Encodes a sample. Without `id` and `createdAt` it is a queued sample: see {@link stampSample}.
 *
 * @throws {WireError} If {@link readSampleUpload} would reject the head.
 */
export function writeSampleUpload({
  head,
  payload,
}: {
  readonly head: SampleDescription & Partial<SampleStamp>;
  readonly payload: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const fields = fieldsOf(head, WHERE);
  const isStamped = fields.has("id") || fields.has("createdAt");
  const text = new TextEncoder().encode(
    JSON.stringify({ ...(isStamped && readStamp(fields)), ...readDescription(fields) }),
  );
  if (text.length > MAX_HEAD_BYTES)
    failField(WHERE, { expected: `at most ${MAX_HEAD_BYTES} bytes`, got: text.length });
  const bytes = new Uint8Array(LENGTH_BYTES + text.length + payload.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(payload, LENGTH_BYTES + text.length);
  return bytes;
}

/**
 * Decodes a sample. Unknown keys of the head are dropped.
 *
 * @throws {WireError} If the bytes are not a sample.
 */
export function readSampleUpload(bytes: Uint8Array): SampleUpload {
  const { head, payload } = split(bytes);
  return { head: { ...readStamp(head), ...readDescription(head) }, payload };
}

/**
 * Adds the stamp to a queued sample before it is sent. The queue determines the stamp.
 *
 * @throws {WireError} If the bytes are not a sample.
 */
export function stampSample(bytes: Uint8Array, { id, createdAt }: SampleStamp): Uint8Array<ArrayBuffer> {
  const { head, payload } = split(bytes);
  return writeSampleUpload({ head: { ...readDescription(head), id, createdAt }, payload });
}

function split(bytes: Uint8Array): { readonly head: Fields; readonly payload: Uint8Array } {
  const where = `${WHERE}'s head length`;
  if (bytes.length < LENGTH_BYTES) failField(where, { expected: `${LENGTH_BYTES} bytes`, got: bytes.length });
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true);
  const most = Math.min(MAX_HEAD_BYTES, bytes.length - LENGTH_BYTES);
  if (length > most) failField(where, { expected: `at most ${most}`, got: length });
  const json = jsonOf(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), {
    what: WHERE,
    maxBytes: MAX_HEAD_BYTES,
  });
  return { head: fieldsOf(json, WHERE), payload: bytes.subarray(LENGTH_BYTES + length) };
}

function readStamp(head: Fields): SampleStamp {
  return {
    id: head.text("id", visibleAscii),
    createdAt: head.whole("createdAt"),
  };
}

function readDescription(head: Fields): SampleDescription {
  return {
    device: head.text("device", ANY_TEXT),
    kind: head.text("kind", { most: 32, pattern: /^[a-z][a-z0-9-]*$/, expected: "a word in kebab-case" }),
    contentType: head.text("contentType", {
      most: 100,
      pattern: /^[\x20-\x7e]*$/,
      expected: "a media type",
    }),
    ...(head.has("model") && { model: readModel(head.object("model")) }),
    reason: head.text("reason", ANY_TEXT),
    ...(head.has("result") && { result: readResult(head.value("result")) }),
    ...(head.has("width") && { width: head.whole("width", { least: 1 }) }),
    ...(head.has("height") && { height: head.whole("height", { least: 1 }) }),
  };
}

function readModel(model: Fields): NonNullable<SampleDescription["model"]> {
  return { name: model.text("name", ANY_TEXT), version: model.whole("version") };
}

function readResult(result: unknown): number[] | number[][] {
  const areNumbers = (row: unknown): row is number[] => Array.isArray(row) && row.every(Number.isFinite);
  if (areNumbers(result)) return result;
  if (Array.isArray(result) && result.every(areNumbers)) return result;
  return failField(`${WHERE}.result`, { expected: "finite numbers, or rows of them", got: result });
}

/** Whether a text is a valid ID of a sample. */
export function isSampleId(text: string): boolean {
  return visibleAscii.pattern.test(text) && text.length >= 1 && text.length <= MAX_TEXT;
}
