import { syncDirectory } from "@sedna-js/core/node";
import { rm, truncate, type FileHandle } from "node:fs/promises";
import { encodeRecord, type LogRecord } from "./log-records.node.ts";
import { createSegment, storageError, writeAll, type Segment } from "./segment-file.node.ts";

/** Maximum size of one write, in bytes, unless a single record is larger. */
const BATCH_BYTES = 1024 * 1024;

/** Approximate size of a record without its body, in bytes. */
const RECORD_BYTES = 300;

/** A segment with fewer bytes is almost empty: a record that is too large for it is written there anyway. */
const MOSTLY_EMPTY = 1024;

const sizeOf = ({ body }: Appending): number => RECORD_BYTES + (body?.length ?? 0);

/** Position of a record. */
export interface RecordPosition {
  readonly segment: Segment;
  readonly offset: number;
  readonly length: number;
}

/** A record to append. */
export interface Appending {
  readonly record: LogRecord;
  readonly body?: Uint8Array;
  /** Set for records that free space. On a full disk they may use the reserve. */
  readonly urgent?: boolean;
  /** Called as soon as the record is written, before any other write. */
  readonly onWritten?: (place: RecordPosition) => void;
}

/** Options of {@link createLogAppender}. */
export interface LogAppenderOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  /** The segment to continue. Without it, a new segment is created. */
  readonly last: Segment | undefined;
  readonly lastHandle: FileHandle | undefined;
  readonly nextNumber: number;
  /** If true, resolved appends survive a power loss. */
  readonly syncs: boolean;
  /** Returns the first record of a new segment. */
  readonly opening: () => LogRecord;
  /**
   * Returns the records still owed to the log, which are written before the next records. Called for each
   * batch; `paid` confirms the write.
   */
  readonly owed: () => { readonly records: readonly LogRecord[]; paid(): void };
  readonly onSegment: (segment: Segment) => void;
  /** Frees the reserve on the disk. Resolves with `false` if it is already free. */
  readonly freeReserve: () => Promise<boolean>;
}

/** Appends records to the log. */
export interface LogAppender {
  readonly active: Segment | undefined;
  /** Resolves when the record is written to the operating system or, with `syncs`, to the disk. */
  append(appending: Appending): Promise<void>;
  /** Leaves the last segment. The next record starts a new one. */
  rotate(): Promise<void>;
  /** Flushes everything written to the disk. */
  sync(): Promise<void>;
  /** Closes the log after all earlier calls. */
  close(): Promise<void>;
}

/**
 * Creates an appender. It appends to the last segment, and batches concurrent callers: records requested
 * during a write go into the next write. A failed write is undone, so that no partial record stays before a
 * complete one.
 */
export function createLogAppender({
  directory,
  segmentBytes,
  last,
  lastHandle,
  nextNumber,
  syncs,
  opening,
  owed,
  onSegment,
  freeReserve,
}: LogAppenderOptions): LogAppender {
  type Waiting = Appending & { readonly resolve: () => void; readonly reject: (error: unknown) => void };
  let segment = last;
  let handle = lastHandle;
  let number = nextNumber;
  let waiting: Waiting[] = [];
  let isDraining = false;
  /** Serializes all access to the file. */
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  const leave = async (): Promise<void> => {
    const old = handle;
    [segment, handle] = [undefined, undefined];
    // Flush once for each segment, so that a power loss affects at most part of the last one.
    await old?.datasync().catch(() => undefined);
    await old?.close().catch(() => undefined);
  };

  const begin = async (): Promise<void> => {
    if (segment) return;
    const made = await createSegment(directory, number++);
    ({ segment, handle } = made);
    try {
      await writeRecords([{ record: opening() }]);
      if (syncs) await syncDirectory(directory).catch(() => {});
    } catch (error) {
      // A segment without the state of the log must not outlive the segments before it.
      await leave();
      await rm(made.segment.path, { force: true });
      throw error;
    }
    onSegment(made.segment);
  };

  /** Writes all records in one write, or none of them. */
  const writeRecords = async (records: readonly Appending[]): Promise<void> => {
    const to = segment!;
    const places: RecordPosition[] = [];
    const pieces: Buffer[] = [];
    let offset = to.size;
    for (const { record, body } of records) {
      const bytes = encodeRecord(record, { ...(body ? { body } : {}), salt: to.salt, offset });
      places.push({ segment: to, offset, length: bytes.length });
      pieces.push(bytes);
      offset += bytes.length;
    }
    try {
      await writeAll(handle!, {
        bytes: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces),
        at: to.size,
      });
      if (syncs) await handle!.datasync();
    } catch (error) {
      // Later records would follow a partial record. If the truncation fails too, the log continues in a new
      // segment.
      await truncate(to.path, to.size).catch(leave);
      throw error;
    }
    to.size = offset;
    for (const [i, { onWritten }] of records.entries()) onWritten?.(places[i]!);
  };

  const writeBatch = async (batch: readonly Waiting[]): Promise<void> => {
    // A segment exceeds its limit only for one large record: cleaning copies it into a reserve of that size.
    if (segment && segment.size + sizeOf(batch[0]!) > segmentBytes && segment.size > MOSTLY_EMPTY)
      await leave();
    await begin();
    const debt = owed();
    await writeRecords([...debt.records.map((record) => ({ record })), ...batch]);
    if (debt.records.length > 0) debt.paid();
  };

  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await writeBatch(batch);
      for (const one of batch) one.resolve();
    } catch (cause) {
      const error = storageError("append to the queue's log", cause);
      if (batch.length > 1) {
        // A small record may fit even if all together do not, and records that free space must not fail with
        // the others.
        for (const one of batch) await settle([one]);
      } else if (error.code === "storage-full" && batch[0]!.urgent && (await freeReserve()))
        await settle(batch);
      else batch[0]!.reject(error);
    }
  };

  const takeBatch = (): Waiting[] => {
    const room = segmentBytes - (segment?.size ?? 0);
    // Records that no longer fit start a new segment.
    const most = Math.min(BATCH_BYTES, sizeOf(waiting[0]!) > room ? segmentBytes : room);
    let bytes = sizeOf(waiting[0]!);
    let count = 1;
    for (; count < waiting.length && bytes + sizeOf(waiting[count]!) <= most; count++)
      bytes += sizeOf(waiting[count]!);
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await settle(takeBatch());
    isDraining = false;
  };

  return {
    get active() {
      return segment;
    },
    append(appending) {
      const written = new Promise<void>((resolve, reject) => waiting.push({ ...appending, resolve, reject }));
      if (!isDraining) {
        isDraining = true;
        void inTurn(drain);
      }
      return written;
    },
    rotate: () => inTurn(leave),
    sync: () =>
      inTurn(async () => {
        await handle?.datasync();
        await syncDirectory(directory).catch(() => {});
      }),
    close: () => inTurn(leave),
  };
}
