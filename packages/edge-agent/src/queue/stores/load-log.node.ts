import { rm, truncate } from "node:fs/promises";
import type { RecordPosition } from "./create-log-appender.node.ts";
import { SEGMENT_HEAD_BYTES } from "./log-records.node.ts";
import type { QueueState } from "../parse-queue-entry.ts";
import type { QueueEntry } from "../queue-store.ts";
import { readSegment, segmentNumbers, type Segment } from "./segment-file.node.ts";

/** Content of a directory's log. */
export interface LoadedLog {
  /** Segments, oldest first. */
  readonly segments: Segment[];
  readonly nextNumber: number;
  /** Live entries by sequence. */
  readonly live: ReadonlyMap<number, { readonly entry: QueueEntry; readonly place: RecordPosition }>;
  readonly lastSequence: number;
  /** The state that was written last. */
  readonly state: QueueState | undefined;
  /** `true` if the log was closed and nothing is missing: its largest sequence is reliable. */
  readonly isWhole: boolean;
  readonly damagedNumber: number;
}

/**
 * Reads a directory's log, one segment at a time, and truncates a partial record that a crash left at its
 * end. Damaged records are skipped and counted.
 */
export async function loadLog(directory: string): Promise<LoadedLog> {
  const live = new Map<number, { entry: QueueEntry; place: RecordPosition }>();
  const segments: Segment[] = [];
  let lastSequence = 0;
  let state: QueueState | undefined;
  let damagedNumber = 0;
  let isClosed = false;
  let nextNumber = 1;

  const forget = (sequence: number): void => {
    const held = live.get(sequence);
    if (!held) return;
    held.place.segment.live--;
    held.place.segment.liveBytes -= held.place.length;
    live.delete(sequence);
  };

  const files = await segmentNumbers(directory);
  for (const [i, file] of files.entries()) {
    const isLast = i === files.length - 1;
    nextNumber = file.number + 1;
    const { segment: read, records, damagedNumber: damaged, bytes } = await readSegment(file);
    if (!read && isLast && bytes.length < SEGMENT_HEAD_BYTES) {
      // The process crashed while it created this segment, which never held a record.
      await rm(file.path, { force: true });
      continue;
    }
    const segment: Segment = read ?? {
      ...file,
      salt: new Uint8Array(8),
      size: bytes.length,
      live: 0,
      liveBytes: 0,
    };
    segments.push(segment);
    damagedNumber += damaged;
    const hasTail = bytes.length > segment.size;
    if (hasTail && isLast) await truncate(file.path, segment.size);
    else if (hasTail) damagedNumber++;

    for (const { record, offset, length } of records) {
      isClosed = false;
      if (record.type === "put") {
        // The second copy comes from a cleaning that could not remove the first.
        forget(record.entry.sequence);
        live.set(record.entry.sequence, { entry: record.entry, place: { segment, offset, length } });
        segment.live++;
        segment.liveBytes += length;
        lastSequence = Math.max(lastSequence, record.entry.sequence);
      } else if (record.type === "delete") {
        for (const sequence of record.sequences) {
          forget(sequence);
          lastSequence = Math.max(lastSequence, sequence);
        }
      } else {
        state = record.state;
        isClosed = state.closed;
        lastSequence = Math.max(lastSequence, state.lastSequence);
      }
    }
    if (hasTail) isClosed = false;
  }
  return {
    segments,
    nextNumber,
    live,
    lastSequence,
    state,
    isWhole: isClosed && damagedNumber === 0,
    damagedNumber,
  };
}
