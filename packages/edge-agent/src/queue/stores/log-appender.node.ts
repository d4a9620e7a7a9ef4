import { syncDirectory } from "@sedna-js/core/node";
import { rm, truncate, type FileHandle } from "node:fs/promises";
import { encodeRecord, type LogRecord } from "./log-records.node.ts";
import { createSegment, storageError, writeAll, type Segment } from "./segment-file.node.ts";

/** Bytes that are written at once, unless one record alone is larger. */
const BATCH_BYTES = 1024 * 1024;

/** What a record takes beside its body, about. */
const RECORD_BYTES = 300;

/** A segment of fewer bytes holds hardly anything: what is too large for it goes there all the same. */
const MOSTLY_EMPTY = 1024;

const sizeOf = ({ body }: Appending): number => RECORD_BYTES + (body?.length ?? 0);

/** Where a record lies. */
export interface RecordPlace {
  readonly segment: Segment;
  readonly offset: number;
  readonly length: number;
}

/** A record to be written. */
export interface Appending {
  readonly record: LogRecord;
  readonly body?: Uint8Array;
  /** What makes room is written from the reserve where the disk is full. */
  readonly urgent?: boolean;
  /** Called as soon as the record is written, before anything else is. */
  readonly onWritten?: (place: RecordPlace) => void;
}

/** Options of {@link logAppender}. */
export interface LogAppenderOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  /** Where the log goes on; a new segment is made without. */
  readonly last: Segment | undefined;
  readonly lastHandle: FileHandle | undefined;
  readonly nextNumber: number;
  /** True: what is resolved lasts through a loss of power. */
  readonly syncs: boolean;
  /** What a new segment begins with. */
  readonly opening: () => LogRecord;
  /**
   * What is still owed to the log, written ahead of the next records; it is asked each time, until `paid` is
   * called.
   */
  readonly owed: () => { readonly records: readonly LogRecord[]; paid(): void };
  readonly onSegment: (segment: Segment) => void;
  /** Frees the reserve on the disk; false where it is free already. */
  readonly freeReserve: () => Promise<boolean>;
}

/** The writing end of the log. */
export interface LogAppender {
  readonly active: Segment | undefined;
  /** Resolves when the record is written: to the operating system, or with `syncs` to the disk. */
  append(appending: Appending): Promise<void>;
  /** Leaves the last segment: what comes next begins a new one. */
  rotate(): Promise<void>;
  /** Everything that is written is on the disk, not in the system's memory alone. */
  sync(): Promise<void>;
  /** After everything that was asked for. */
  close(): Promise<void>;
}

/**
 * Appends to the last segment, many callers by one write: all that is asked while a write is under way goes
 * with the next. A write that fails is taken back, so that no half record stays before a whole one.
 */
export function logAppender({
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
  /** Everything that touches the file goes through this, one after the other. */
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  const leave = async (): Promise<void> => {
    const old = handle;
    [segment, handle] = [undefined, undefined];
    // Once a segment, so that a loss of power takes some of the last one at most.
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
      // A segment that does not say what the log knows must not outlive those before it.
      await leave();
      await rm(made.segment.path, { force: true });
      throw error;
    }
    onSegment(made.segment);
  };

  /** Writes records in one piece, or none of them. */
  const writeRecords = async (records: readonly Appending[]): Promise<void> => {
    const to = segment!;
    const places: RecordPlace[] = [];
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
      // What follows would stand behind half a record. Where even the cut fails, the log goes on in a new
      // segment.
      await truncate(to.path, to.size).catch(leave);
      throw error;
    }
    to.size = offset;
    for (const [i, { onWritten }] of records.entries()) onWritten?.(places[i]!);
  };

  const writeBatch = async (batch: readonly Waiting[]): Promise<void> => {
    // A segment grows beyond its bounds only for one large record: cleaning copies it into a reserve of its
    // size.
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
        // A small one may fit where all together do not, and what makes room goes whatever befalls the
        // others.
        for (const one of batch) await settle([one]);
      } else if (error.code === "storage-full" && batch[0]!.urgent && (await freeReserve()))
        await settle(batch);
      else batch[0]!.reject(error);
    }
  };

  const takeBatch = (): Waiting[] => {
    const room = segmentBytes - (segment?.size ?? 0);
    // What does not fit any more begins a new segment.
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
