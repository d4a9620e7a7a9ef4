import { crc32 } from "node:zlib";
import { readList, readWhole } from "@sedna-js/core/wire";
import { parseQueueEntry, parseQueueState, type QueueState } from "../parse-queue-entry.ts";
import type { QueueEntry } from "../queue-store.ts";

// A segment of the log, little-endian:
//
//   segment = copy copy record*
//   copy = "SQL1" salt:8 crc32:4
//   record = "\xa5SQ\x01" length:4 crc32(payload):4 crc32(the 12 bytes before):4 payload
//   payload = type:1 length-of-header:4 header(JSON) body
//
// Both checksums of a record start with the segment's random salt and the record's own offset. So a record
// embedded in a received body is invalid, even if a reader that scans for the next record after damage finds
// it; so is a record that was moved. The head has its own checksum, so that a damaged payload is skipped
// exactly. The salt is stored twice, because nothing can be read without it.

const SYNC = Buffer.from([0xa5, 0x53, 0x51, 0x01]);
const MAGIC = Buffer.from("SQL1");
const SALT_BYTES = 8;
const COPY_BYTES = 16;
const RECORD_HEAD = 16;
const PAYLOAD_HEAD = 5;

/** Size of a segment's head, in bytes. */
export const SEGMENT_HEAD_BYTES = 2 * COPY_BYTES;

const types = { put: 1, delete: 2, state: 3 } as const;

/** Content of a record. */
export type LogRecord =
  | { readonly type: "put"; readonly entry: QueueEntry }
  | { readonly type: "delete"; readonly sequences: readonly number[] }
  | { readonly type: "state"; readonly state: QueueState };

/** A record and its position in its segment. */
export interface RecordAt {
  readonly record: LogRecord;
  readonly offset: number;
  readonly length: number;
}

/** Encodes the head of a segment. */
export function encodeSegmentHead(salt: Uint8Array): Buffer {
  const copy = Buffer.concat([MAGIC, salt, Buffer.alloc(4)]);
  copy.writeUInt32LE(crc32(copy.subarray(0, 12)), 12);
  return Buffer.concat([copy, copy]);
}

/**
 * Returns the salt of a segment, or `undefined` if both copies are damaged or the bytes are not a segment.
 */
export function readSalt(segment: Uint8Array): Buffer | undefined {
  const bytes = asBuffer(segment);
  for (const start of [0, COPY_BYTES]) {
    const copy = bytes.subarray(start, start + COPY_BYTES);
    const isWhole =
      copy.length === COPY_BYTES &&
      copy.subarray(0, 4).equals(MAGIC) &&
      copy.readUInt32LE(12) === crc32(copy.subarray(0, 12));
    if (isWhole) return Buffer.from(copy.subarray(4, 4 + SALT_BYTES));
  }
  return undefined;
}

/** Options of {@link encodeRecord}. */
interface EncodeRecordOptions {
  readonly body?: Uint8Array;
  readonly salt: Uint8Array;
  readonly offset: number;
}

/** Encodes a record. The bytes are valid only at this offset of this segment. */
export function encodeRecord(record: LogRecord, { body, salt, offset }: EncodeRecordOptions): Buffer {
  const header = Buffer.from(
    JSON.stringify(
      record.type === "put" ? record.entry : record.type === "delete" ? record.sequences : record.state,
    ),
  );
  const bytes = Buffer.allocUnsafe(RECORD_HEAD + PAYLOAD_HEAD + header.length + (body?.length ?? 0));
  const payload = bytes.subarray(RECORD_HEAD);
  payload.writeUInt8(types[record.type], 0);
  payload.writeUInt32LE(header.length, 1);
  payload.set(header, PAYLOAD_HEAD);
  if (body) payload.set(body, PAYLOAD_HEAD + header.length);
  const seed = seedOf(salt, offset);
  bytes.set(SYNC, 0);
  bytes.writeUInt32LE(payload.length, 4);
  bytes.writeUInt32LE(crc32(payload, seed), 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12), seed), 12);
  return bytes;
}

/**
 * Decodes the body of the record at an offset from the record's bytes. Returns `undefined` if they are
 * damaged.
 */
export function readBody(
  recordBytes: Uint8Array,
  { salt, offset }: { readonly salt: Uint8Array; readonly offset: number },
): Uint8Array | undefined {
  const bytes = asBuffer(recordBytes);
  const length = payloadLength(bytes, { at: 0, seed: seedOf(salt, offset) });
  if (length === undefined || length !== bytes.length - RECORD_HEAD) return undefined;
  const payload = bytes.subarray(RECORD_HEAD);
  if (crc32(payload, seedOf(salt, offset)) !== bytes.readUInt32LE(8)) return undefined;
  return new Uint8Array(payload.subarray(PAYLOAD_HEAD + payload.readUInt32LE(1)));
}

/**
 * Reads the records of a segment from arbitrary bytes. Never throws, and returns only records that were
 * written. `end` is the end of the last intact record; `damagedNumber` counts the unreadable ranges before
 * it.
 */
export function readRecords(
  segment: Uint8Array,
  salt: Uint8Array,
): { readonly records: RecordAt[]; readonly end: number; readonly damagedNumber: number } {
  const bytes = asBuffer(segment);
  const records: RecordAt[] = [];
  let end = SEGMENT_HEAD_BYTES;
  let damagedNumber = 0;
  let damagedSinceEnd = 0;
  let offset = SEGMENT_HEAD_BYTES;
  while (offset + RECORD_HEAD <= bytes.length) {
    const seed = seedOf(salt, offset);
    const length = payloadLength(bytes, { at: offset, seed });
    if (length === undefined) {
      damagedSinceEnd++;
      offset = nextHead(bytes, { after: offset, salt });
      continue;
    }
    const payload = bytes.subarray(offset + RECORD_HEAD, offset + RECORD_HEAD + length);
    const isWhole = crc32(payload, seed) === bytes.readUInt32LE(offset + 8);
    const record = isWhole ? parsePayload(payload) : undefined;
    if (record) {
      records.push({ record, offset, length: RECORD_HEAD + length });
      end = offset + RECORD_HEAD + length;
      damagedNumber += damagedSinceEnd;
      damagedSinceEnd = 0;
    } else damagedSinceEnd++;
    offset += RECORD_HEAD + length;
  }
  return { records, end, damagedNumber };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function seedOf(salt: Uint8Array, offset: number): number {
  const place = Buffer.allocUnsafe(SALT_BYTES + 6);
  place.set(salt, 0);
  place.writeUIntLE(offset, SALT_BYTES, 6);
  return crc32(place);
}

/** Returns the payload length of a record whose head is intact and which ends within the bytes. */
function payloadLength(
  bytes: Buffer,
  { at, seed }: { readonly at: number; readonly seed: number },
): number | undefined {
  if (at + RECORD_HEAD + PAYLOAD_HEAD > bytes.length || bytes.compare(SYNC, 0, 4, at, at + 4) !== 0)
    return undefined;
  if (bytes.readUInt32LE(at + 12) !== crc32(bytes.subarray(at, at + 12), seed)) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  return length >= PAYLOAD_HEAD && at + RECORD_HEAD + length <= bytes.length ? length : undefined;
}

function nextHead(
  bytes: Buffer,
  { after, salt }: { readonly after: number; readonly salt: Uint8Array },
): number {
  let at = bytes.indexOf(SYNC, after + 1);
  while (at !== -1 && payloadLength(bytes, { at, seed: seedOf(salt, at) }) === undefined)
    at = bytes.indexOf(SYNC, at + 1);
  return at === -1 ? bytes.length : at;
}

function parsePayload(payload: Buffer): LogRecord | undefined {
  const headerEnd = PAYLOAD_HEAD + payload.readUInt32LE(1);
  if (headerEnd > payload.length) return undefined;
  try {
    const header: unknown = JSON.parse(payload.toString("utf8", PAYLOAD_HEAD, headerEnd));
    const type = payload.readUInt8(0);
    if (type === types.put) {
      const entry = parseQueueEntry(header);
      return entry.bytes === payload.length - headerEnd ? { type: "put", entry } : undefined;
    }
    if (type === types.delete)
      return { type: "delete", sequences: readList(header, "deleted entries", { read: readWhole }) };
    return type === types.state ? { type: "state", state: parseQueueState(header) } : undefined;
  } catch {
    // The checksums are valid, but the content is unknown: a record of a later version, or no record at all.
    return undefined;
  }
}
