import { crc32 } from "node:zlib";
import { parseQueueEntry, parseQueueState, parseSequence, type QueueState } from "../parse-queue-entry.ts";
import type { QueueEntry } from "../queue-store.ts";

// A segment of the log, little-endian:
//
//   segment = copy copy record* copy = "SQL1" salt:8 crc32:4
//   record = "\xa5SQ\x01" length:4 crc32(payload):4 crc32(the 12 bytes before):4 payload
//   payload = type:1 length-of-header:4 header(JSON) body
//
// Both sums of a record begin with the segment's random salt and the record's own offset. So a record that
// somebody sends us inside of a body is none, wherever a reader that looks for the next one after damage
// comes upon it; nor is one that was moved. The head has a sum of its own so that a damaged payload is
// skipped exactly. The salt is there twice, because without it nothing can be read.

const SYNC = Buffer.from([0xa5, 0x53, 0x51, 0x01]);
const MAGIC = Buffer.from("SQL1");
const SALT_BYTES = 8;
const COPY_BYTES = 16;
const RECORD_HEAD = 16;
const PAYLOAD_HEAD = 5;

/** Bytes before the first record of a segment. */
export const SEGMENT_HEAD = 2 * COPY_BYTES;

const types = { put: 1, delete: 2, state: 3 } as const;

/** What a record says. */
export type LogRecord =
  | { readonly type: "put"; readonly entry: QueueEntry }
  | { readonly type: "delete"; readonly sequences: readonly number[] }
  | { readonly type: "state"; readonly state: QueueState };

/** A record, and where it lies in its segment. */
export interface PlacedRecord {
  readonly record: LogRecord;
  readonly offset: number;
  readonly length: number;
}

/** The first bytes of a segment. */
export function encodeSegmentHead(salt: Uint8Array): Buffer {
  const copy = Buffer.concat([MAGIC, salt, Buffer.alloc(4)]);
  copy.writeUInt32LE(crc32(copy.subarray(0, 12)), 12);
  return Buffer.concat([copy, copy]);
}

/** The salt of a segment; undefined where both copies are damaged, or it is none. */
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

/** A record as bytes that are valid at this offset of this segment alone. */
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

/** The body of the record that lies at an offset, given its bytes alone; undefined where they are damaged. */
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
 * The records of a segment's bytes, whatever they are: it throws nothing, and tells nothing that was not
 * written. `end` is where the last whole record ends; `damagedNumber` counts the places before that which
 * could not be read.
 */
export function readRecords(
  segment: Uint8Array,
  salt: Uint8Array,
): { readonly records: PlacedRecord[]; readonly end: number; readonly damagedNumber: number } {
  const bytes = asBuffer(segment);
  const records: PlacedRecord[] = [];
  let end = SEGMENT_HEAD;
  let damagedNumber = 0;
  let damagedSinceEnd = 0;
  let offset = SEGMENT_HEAD;
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

/** The length of the payload of a record whose head is whole and which ends before the bytes do. */
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
      return Array.isArray(header) ? { type: "delete", sequences: header.map(parseSequence) } : undefined;
    return type === types.state ? { type: "state", state: parseQueueState(header) } : undefined;
  } catch {
    // Whole by its sums, and yet nothing that we write: a record of a later version, or no record at all.
    return undefined;
  }
}
