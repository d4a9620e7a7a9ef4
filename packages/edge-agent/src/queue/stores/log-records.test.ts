import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queueEntry } from "../../../../../testing/suites/queue-store-suite.ts";
import {
  encodeRecord,
  encodeSegmentHead,
  readBody,
  readRecords,
  readSalt,
  SEGMENT_HEAD_BYTES,
  type LogRecord,
} from "./log-records.node.ts";

const salt = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const written: { readonly record: LogRecord; readonly body?: Uint8Array }[] = [
  {
    record: {
      type: "state",
      state: { epoch: "0123456789ab", lastSequence: 0, mark: undefined, closed: false },
    },
  },
  { record: { type: "put", entry: queueEntry(1, { bytes: 40 }) }, body: new Uint8Array(40).fill(1) },
  { record: { type: "put", entry: queueEntry(2, { bytes: 0 }) }, body: new Uint8Array() },
  { record: { type: "delete", sequences: [1, 7] } },
  { record: { type: "put", entry: queueEntry(3, { bytes: 3 }) }, body: Uint8Array.of(1, 2, 3) },
];

/** Returns a segment and the offset of each of its records. */
function segmentOf(records: typeof written): { readonly bytes: Uint8Array; readonly starts: number[] } {
  const pieces: Uint8Array[] = [encodeSegmentHead(salt)];
  const starts: number[] = [];
  let offset = SEGMENT_HEAD_BYTES;
  for (const { record, body } of records) {
    const piece = encodeRecord(record, { ...(body ? { body } : {}), salt, offset });
    starts.push(offset);
    pieces.push(piece);
    offset += piece.length;
  }
  return { bytes: Uint8Array.from(Buffer.concat(pieces)), starts };
}
const texts = (records: readonly { readonly record: LogRecord }[]): string[] =>
  records.map(({ record }) => JSON.stringify(record));

describe("the log's records", () => {
  const { bytes, starts } = segmentOf(written);

  it("round-trip, including their bodies", () => {
    const { records, end, damagedNumber } = readRecords(bytes, readSalt(bytes)!);
    expect(texts(records)).toEqual(texts(written));
    expect({ end, damagedNumber, starts: records.map(({ offset }) => offset) }).toEqual({
      end: bytes.length,
      damagedNumber: 0,
      starts,
    });
    for (const [i, { offset, length, record }] of records.entries()) {
      if (record.type === "put")
        expect(readBody(bytes.slice(offset, offset + length), { salt, offset })).toEqual(written[i]!.body);
    }
  });

  it("are all read if they end before a truncation at any offset, and no others", () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const part = bytes.slice(0, cut);
      const found = readSalt(part);
      if (!found) expect(cut).toBeLessThan(SEGMENT_HEAD_BYTES / 2);
      const { records, damagedNumber } = readRecords(part, found ?? salt);
      const whole = starts.filter((_, i) => (starts[i + 1] ?? bytes.length) <= cut).length;
      expect(texts(records)).toEqual(texts(written).slice(0, whole));
      expect(damagedNumber).toBe(0);
    }
  });

  it("survive any flipped bit, except for at most the record that contains it", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { records } = readRecords(flipped, readSalt(flipped)!);
      const hit = starts.findLastIndex((start) => start <= bit >> 3);
      expect(texts(records)).toEqual(texts(written).filter((_, i) => i !== hit));
    }
  });

  it("are never read from arbitrary bytes, which throw nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (junk) => {
        expect(readRecords(junk, readSalt(junk) ?? salt).records).toEqual([]);
        expect(readBody(junk, { salt, offset: 0 })).toBeUndefined();
      }),
    );
    const known = new Set(texts(written));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 60 })), {
          minLength: 1,
          maxLength: 4,
        }),
        (writes) => {
          const broken = bytes.slice();
          for (const [at, junk] of writes) broken.set(junk.subarray(0, broken.length - at), at);
          const { records } = readRecords(broken, readSalt(broken) ?? salt);
          expect(texts(records).filter((one) => !known.has(one))).toEqual([]);
        },
      ),
    );
  });

  it("are not read from inside a body, not even from a whole segment or after damage before it", () => {
    const log = segmentOf([
      { record: { type: "put", entry: queueEntry(9, { bytes: bytes.length }) }, body: bytes },
    ]).bytes;
    expect(readRecords(log, salt).records).toHaveLength(1);
    for (let at = SEGMENT_HEAD_BYTES; at < SEGMENT_HEAD_BYTES + 16; at++) {
      const broken = log.slice();
      broken[at]! ^= 1;
      expect(readRecords(broken, salt).records).toEqual([]);
    }
  });

  it("are not read from another segment or another offset", () => {
    expect(readRecords(bytes, Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)).records).toEqual([]);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes.subarray(0, SEGMENT_HEAD_BYTES));
    moved.set(bytes.subarray(SEGMENT_HEAD_BYTES), SEGMENT_HEAD_BYTES + 1);
    expect(readRecords(moved, salt).records).toEqual([]);
  });
});
