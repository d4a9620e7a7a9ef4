import { rm } from "node:fs/promises";
import type { DiskReserve } from "./disk-reserve.node.ts";
import type { LogAppender, RecordPlace } from "./log-appender.node.ts";
import { readBody, type LogRecord } from "./log-records.node.ts";
import { readSegment, type Segment } from "./segment-file.node.ts";

/** Options of {@link logCleaner}. */
export interface LogCleanerOptions {
  /** Oldest first; what is cleaned is taken out. */
  readonly segments: Segment[];
  readonly segmentBytes: number;
  readonly appender: LogAppender;
  readonly reserve: DiskReserve;
  readonly stateRecord: () => LogRecord;
  /** Where the entry of an id lies; undefined where it is deleted. */
  readonly heldAt: (id: string) => RecordPlace | undefined;
  /** An entry lies elsewhere now. */
  readonly moved: (id: string, to: RecordPlace) => void;
  /** What was in this segment cannot be read any more. */
  readonly lose: (segment: Segment) => void;
}

/** Gives back the disk that deleted items take. */
export interface LogCleaner {
  /** The next cleaning makes what room it can. */
  diskIsFull(): void;
  /** Cleans where that pays. Throws nothing. */
  clean(): Promise<void>;
}

/**
 * Deletes the oldest segment when nothing in it is live, and where much of the log is dead copies what is
 * live in it to the log's end first. The dead is as much as the live and a segment before that happens: each
 * byte is copied once on average, at most. Always the oldest: a delete record must not go before the item
 * that it deletes, or that would be back.
 */
export function logCleaner({
  segments,
  segmentBytes,
  appender,
  reserve,
  stateRecord,
  heldAt,
  moved,
  lose,
}: LogCleanerOptions): LogCleaner {
  let isFull = false;
  let cleaning: Promise<void> | undefined;

  const sum = (of: (segment: Segment) => number): number =>
    segments.reduce((total, segment) => total + of(segment), 0);
  const isWasteful = (): boolean => {
    const live = sum(({ liveBytes }) => liveBytes);
    const total = sum(({ size }) => size);
    return total - live > (isFull ? total / 64 : live + segmentBytes);
  };
  const isDead = (segment: Segment): boolean => segment.live === 0 && segment !== appender.active;

  const copyLive = async (segment: Segment): Promise<void> => {
    const { records, bytes } = await readSegment(segment);
    const copies: Promise<void>[] = [];
    for (const { record, offset, length } of records) {
      if (record.type !== "put") continue;
      const { id } = record.entry;
      const at = heldAt(id);
      if (at?.segment !== segment || at.offset !== offset) continue;
      const body = readBody(bytes.subarray(offset, offset + length), { salt: segment.salt, offset });
      // Deleted after this line, its delete record comes after the copy; before, and it is not copied.
      if (body)
        copies.push(appender.append({ record, body, urgent: true, onWritten: (to) => moved(id, to) }));
    }
    await Promise.all(copies);
    // What cannot be copied because it is damaged must not keep the segment for ever.
    if (segment.live > 0) lose(segment);
  };

  const takeAway = async (segment: Segment): Promise<void> => {
    // The new end of the log tells the largest sequence and the epoch; without one they would go with the
    // old.
    if (!appender.active) await appender.append({ record: stateRecord(), urgent: true });
    // The copies must be on the disk before the only other ones go.
    await appender.sync();
    await rm(segment.path, { force: true });
    segments.splice(segments.indexOf(segment), 1);
  };

  const run = async (): Promise<void> => {
    try {
      // Each that is there now once at most: a log of nothing but its own heads looks wasteful for ever.
      for (let left = segments.length; left > 0 && segments[0]; left--) {
        const [oldest] = segments;
        if (!isDead(oldest) && !isWasteful()) break;
        if (oldest === appender.active) await appender.rotate();
        if (!isDead(oldest)) await copyLive(oldest);
        await takeAway(oldest);
      }
    } catch {
      // The disk refused. All is where it was, or in two places, which a later cleaning or the next opening sorts out.
    }
    isFull = false;
    await reserve.hold();
  };

  return {
    diskIsFull() {
      isFull = true;
    },
    async clean() {
      const oldest = segments[0];
      if (!cleaning && oldest && !isDead(oldest) && !isWasteful()) return;
      cleaning ??= run().finally(() => (cleaning = undefined));
      await cleaning;
    },
  };
}
