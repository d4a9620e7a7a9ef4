import { describeValue, WireError } from "../errors.ts";
import { duplicateKey } from "./duplicate-key.ts";

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
  const action = "write a sample";
  const text = new TextEncoder().encode(
    JSON.stringify({ ...readStamp(head, { action, optional: true }), ...readNote(head, action) }),
  );
  if (text.length > MAX_HEAD_BYTES)
    fail(action, { what: "the head", expected: `at most ${MAX_HEAD_BYTES} bytes`, got: text.length });
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
  const action = "read a sample";
  const { head, payload } = split(bytes, action);
  return {
    head: { ...readStamp(head, { action, optional: false }), ...readNote(head, action) } as SampleHead,
    payload,
  };
}

/**
 * Adds the stamp to a queued sample before it is sent. The queue determines the stamp.
 *
 * @throws {WireError} If the bytes are not a sample.
 */
export function stampSample(bytes: Uint8Array, { id, createdAt }: SampleStamp): Uint8Array<ArrayBuffer> {
  const { head, payload } = split(bytes, "stamp a sample");
  return writeSampleUpload({ head: { ...readNote(head, "stamp a sample"), id, createdAt }, payload });
}

function split(bytes: Uint8Array, action: string): { head: Record<string, unknown>; payload: Uint8Array } {
  if (bytes.length < LENGTH_BYTES)
    fail(action, { what: "the head's length", expected: `${LENGTH_BYTES} bytes`, got: bytes.length });
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true);
  const most = Math.min(MAX_HEAD_BYTES, bytes.length - LENGTH_BYTES);
  if (length > most) fail(action, { what: "the head's length", expected: `at most ${most}`, got: length });
  let text: string;
  let head: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(
      bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length),
    );
    head = JSON.parse(text);
  } catch (cause) {
    throw new WireError(`${action}: expected JSON as the head; got ${length} bytes that are not`, { cause });
  }
  if (!isRecord(head))
    fail(action, { what: "the head", expected: "a JSON object", got: describeValue(head) });
  const twice = duplicateKey(text);
  if (twice !== undefined)
    fail(action, { what: "the head", expected: "each name once", got: `${describeValue(twice)} again` });
  const forbidden = ["__proto__", "constructor", "prototype"].find((key) =>
    Object.hasOwn(head as object, key),
  );
  if (forbidden !== undefined)
    fail(action, { what: "the head", expected: "no reserved names", got: forbidden });
  return { head, payload: bytes.subarray(LENGTH_BYTES + length) };
}

function readStamp(
  head: Readonly<Partial<Record<keyof SampleStamp, unknown>>>,
  { action, optional }: { readonly action: string; readonly optional: boolean },
): Partial<SampleStamp> {
  const { id, createdAt } = head;
  if (optional && id === undefined && createdAt === undefined) return {};
  if (typeof id !== "string" || !isSampleId(id))
    fail(action, {
      what: "id",
      expected: `1 to ${MAX_TEXT} visible ASCII characters`,
      got: describeValue(id),
    });
  if (!isWhole(createdAt, 0))
    fail(action, {
      what: "createdAt",
      expected: "whole milliseconds from 0 up",
      got: describeValue(createdAt),
    });
  return { id, createdAt };
}

function readNote(given: object, action: string): SampleDescription {
  const { device, kind, contentType, model, reason, result, width, height } = given as Readonly<
    Record<string, unknown>
  >;
  if (!isText(device))
    fail(action, {
      what: "device",
      expected: `a string of 1 to ${MAX_TEXT} characters`,
      got: describeValue(device),
    });
  if (typeof kind !== "string" || !/^[a-z][a-z0-9-]{0,31}$/.test(kind))
    fail(action, {
      what: "kind",
      expected: "a word of at most 32 characters in kebab-case",
      got: describeValue(kind),
    });
  if (typeof contentType !== "string" || !/^[\x20-\x7e]{1,100}$/.test(contentType))
    fail(action, {
      what: "contentType",
      expected: "a media type of at most 100 characters",
      got: describeValue(contentType),
    });
  if (!isText(reason))
    fail(action, {
      what: "reason",
      expected: `a string of 1 to ${MAX_TEXT} characters`,
      got: describeValue(reason),
    });
  const size = (what: string, value: unknown): number =>
    isWhole(value, 1)
      ? value
      : fail(action, { what, expected: "a whole number of pixels from 1 up", got: describeValue(value) });
  return {
    device,
    kind,
    contentType,
    ...(model === undefined ? {} : { model: readModel(model, action) }),
    reason,
    ...(result === undefined ? {} : { result: readResult(result, action) }),
    ...(width === undefined ? {} : { width: size("width", width) }),
    ...(height === undefined ? {} : { height: size("height", height) }),
  };
}

function readModel(model: unknown, action: string): { name: string; version: number } {
  const { name, version } = isRecord(model) ? model : {};
  if (!isText(name) || !isWhole(version, 0))
    fail(action, {
      what: "model",
      expected: "a name and a whole version from 0 up",
      got: describeValue(model),
    });
  return { name, version };
}

function readResult(result: unknown, action: string): number[] | number[][] {
  if (Array.isArray(result) && result.every(isNumber)) return result;
  if (Array.isArray(result) && result.every((row) => Array.isArray(row) && row.every(isNumber)))
    return result as number[][];
  return fail(action, {
    what: "result",
    expected: "finite numbers, or rows of them",
    got: describeValue(result),
  });
}

/** Whether a text is a valid ID of a sample. */
export function isSampleId(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text);
}

const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length >= 1 && value.length <= MAX_TEXT;
const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Options of {@link fail}. */
interface FailOptions {
  readonly what: string;
  readonly expected: string;
  readonly got: unknown;
}

function fail(action: string, { what, expected, got }: FailOptions): never {
  throw new WireError(`${action}, ${what}: expected ${expected}; got ${got}`);
}
