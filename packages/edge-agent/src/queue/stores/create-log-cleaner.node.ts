import { rm } from "node:fs/promises";
import type { DiskReserve } from "./disk-reserve.node.ts";
import type { LogAppender, RecordPosition } from "./create-log-appender.node.ts";
import { readBody, type LogRecord } from "./log-records.node.ts";
import { readSegment, type Segment } from "./segment-file.node.ts";

/** Options of {@link createLogCleaner}. */
export interface LogCleanerOptions {
  /** Segments, oldest first. Cleaned segments are removed from the array. */
  readonly segments: Segment[];
  readonly segmentBytes: number;
  readonly appender: LogAppender;
  readonly reserve: DiskReserve;
  readonly stateRecord: () => LogRecord;
  /** Returns the position of an entry, or `undefined` if it is deleted. */
  readonly heldAt: (id: string) => RecordPosition | undefined;
  /** Called when an entry has moved. */
  readonly moved: (id: string, to: RecordPosition) => void;
  /** Called when the remaining entries of a segment cannot be read. */
  readonly lose: (segment: Segment) => void;
}

/** Frees the disk space of deleted items. */
export interface LogCleaner {
  /** Makes the next cleaning free as much space as possible. */
  diskIsFull(): void;
  /** Cleans if enough space can be freed. Never rejects. */
  clean(): Promise<void>;
}

/**
 * Creates a cleaner. It deletes the oldest segment if nothing in it is live. If much of the log is dead, it
 * first copies the live records of the oldest segment to the end of the log. This requires more dead bytes
 * than live bytes plus one segment, so that each byte is copied at most once on average. Always the oldest: a
 * delete record must not disappear before the item that it deletes, or the item would reappear.
 */
export function createLogCleaner({
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
      // If the item is deleted after this line, its delete record follows the copy. If it was deleted before,
      // it is not copied.
      if (body)
        copies.push(appender.append({ record, body, urgent: true, onWritten: (to) => moved(id, to) }));
    }
    await Promise.all(copies);
    // Damaged records cannot be copied, and must not keep the segment forever.
    if (segment.live > 0) lose(segment);
  };

  const takeAway = async (segment: Segment): Promise<void> => {
    // The new end of the log must hold the largest sequence and the epoch, or they would be lost with the old
    // segment.
    if (!appender.active) await appender.append({ record: stateRecord(), urgent: true });
    // The copies must be on the disk before the originals are removed.
    await appender.sync();
    await rm(segment.path, { force: true });
    segments.splice(segments.indexOf(segment), 1);
  };

  const run = async (): Promise<void> => {
    try {
      // Clean each existing segment at most once: a log of segment heads alone would always look wasteful.
      for (let left = segments.length; left > 0 && segments[0]; left--) {
        const [oldest] = segments;
        if (!isDead(oldest) && !isWasteful()) break;
        if (oldest === appender.active) await appender.rotate();
        if (!isDead(oldest)) await copyLive(oldest);
        await takeAway(oldest);
      }
    } catch {
      // The disk rejected the write. Every record is where it was or exists twice; a later cleaning or the
      // next opening removes the copy.
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
