import { randomHex } from "@sedna-js/core/wire";
import { mkdir, open } from "node:fs/promises";
import { SednaError } from "@sedna-js/core";
import { lockDirectory, type DirectoryLock } from "@sedna-js/core/node";
import { diskReserve } from "./disk-reserve.node.ts";
import { loadLog } from "./load-log.node.ts";
import { createLogAppender, type LogAppender, type RecordPosition } from "./create-log-appender.node.ts";
import { createLogCleaner, type LogCleaner } from "./create-log-cleaner.node.ts";
import type { LogRecord } from "./log-records.node.ts";
import { EPOCH_BYTES, type QueueMark, type QueueStore, type StoredQueue } from "../queue-store.ts";
import { readBodyAt, storageError, type Segment } from "./segment-file.node.ts";

/** Options of {@link fileQueueStore}. */
export interface FileQueueStoreOptions {
  /** Directory of the log, created if missing. Only one process can open it at a time. */
  readonly directory: string;
  /**
   * What an acknowledged item survives: a process crash (default), or also a power loss, with an fsync for
   * each write.
   */
  readonly durability?: "process" | "power";
  /**
   * Maximum size of a segment of the log, in bytes. The same amount is reserved for cleaning a full disk; use
   * less than an eighth of the disk. Default 4 MiB.
   */
  readonly segmentBytes?: number;
}

/** Position of an entry in the log. */
interface Held {
  readonly sequence: number;
  readonly place: RecordPosition;
}

/**
 * Creates a queue store in a directory: an append-only log in segments, whose records carry checksums (see
 * log-records). Opening it truncates a partial record at the end, and damage loses only the affected records.
 * A segment is deleted once all its items are deleted, oldest first, so that no delete record disappears
 * before the item that it deletes.
 */
export function fileQueueStore({
  directory,
  durability = "process",
  segmentBytes = 4 * 1024 * 1024,
}: FileQueueStoreOptions): QueueStore {
  if (!(segmentBytes >= 4096))
    throw new RangeError(
      `create a queue store in ${directory}: expected segmentBytes from 4096 up; got ${segmentBytes}`,
    );
  const held = new Map<string, Held>();
  const reserve = diskReserve({ directory, bytes: segmentBytes });
  let segments: Segment[] = [];
  let epoch = "";
  let lastSequence = 0;
  let lastMark: QueueMark | undefined;
  /** Deletes that did not fit on the disk. They are written before the next records. */
  let owedDeletes: number[] = [];
  let owesState = false;
  let opening: Promise<StoredQueue> | undefined;
  let parts:
    | { readonly lock: DirectoryLock; readonly appender: LogAppender; readonly cleaner: LogCleaner }
    | undefined;
  let closing: Promise<void> | undefined;

  const opened = (action: string): NonNullable<typeof parts> => {
    if (!parts || closing)
      throw new SednaError(`${action}: expected an open queue in ${directory}; got one that is closed`, {
        code: "disposed",
      });
    return parts;
  };
  const stateRecord = (closed = false): LogRecord => ({
    type: "state",
    state: { epoch, lastSequence, mark: lastMark, closed },
  });
  const lock = async (): Promise<DirectoryLock> => {
    await mkdir(directory, { recursive: true });
    try {
      return await lockDirectory(directory, "open the queue");
    } catch (error) {
      // The lock needs some bytes, too.
      if (storageError("", error).code !== "storage-full" || !(await reserve.free())) throw error;
      return lockDirectory(directory, "open the queue");
    }
  };
  const place = (id: string, next: Held): void => {
    forget(id);
    held.set(id, next);
    next.place.segment.live++;
    next.place.segment.liveBytes += next.place.length;
  };
  const forget = (id: string): Held | undefined => {
    const old = held.get(id);
    if (!old) return undefined;
    held.delete(id);
    old.place.segment.live--;
    old.place.segment.liveBytes -= old.place.length;
    return old;
  };
  const makeAppender = async (nextNumber: number): Promise<LogAppender> => {
    const last = segments.at(-1);
    const goesOn = last !== undefined && last.salt.some((byte) => byte !== 0) && last.size < segmentBytes;
    return createLogAppender({
      directory,
      segmentBytes,
      last: goesOn ? last : undefined,
      lastHandle: goesOn ? await open(last.path, "r+") : undefined,
      nextNumber,
      syncs: durability === "power",
      opening: stateRecord,
      owed: () => {
        const sequences = owedDeletes;
        const records: LogRecord[] = [
          ...(owesState ? [stateRecord()] : []),
          ...(sequences.length > 0 ? [{ type: "delete" as const, sequences }] : []),
        ];
        return {
          records,
          paid: () => {
            owesState = false;
            owedDeletes = owedDeletes.slice(sequences.length);
          },
        };
      },
      onSegment: (segment) => segments.push(segment),
      freeReserve: reserve.free,
    });
  };

  const start = async (): Promise<StoredQueue> => {
    let ownLock: DirectoryLock | undefined;
    try {
      ownLock = await lock();
      const log = await loadLog(directory);
      segments = log.segments;
      for (const { entry, place } of log.live.values())
        held.set(entry.id, { sequence: entry.sequence, place });
      lastSequence = log.lastSequence;
      lastMark = log.state?.mark;
      // After a power loss, the end of the log may be missing, and with it sequences of sent items. A new
      // epoch keeps ids unique.
      epoch = log.isWhole && log.state ? log.state.epoch : randomHex(EPOCH_BYTES);
      const appender = await makeAppender(log.nextNumber);
      const cleaner = createLogCleaner({
        segments,
        segmentBytes,
        appender,
        reserve,
        stateRecord,
        heldAt: (id) => held.get(id)?.place,
        moved: (id, to) => {
          const one = held.get(id);
          if (one) place(id, { sequence: one.sequence, place: to });
        },
        lose: (segment) => {
          for (const [id, one] of held) if (one.place.segment === segment) forget(id);
        },
      });
      // The log is now open. The disk must record that before an id is issued.
      await appender
        .append({ record: stateRecord(), urgent: true })
        .then(appender.sync)
        .catch(() => (owesState = true));
      await reserve.hold();
      parts = { lock: ownLock, appender, cleaner };
      const entries = [...log.live.values()]
        .map(({ entry }) => entry)
        .toSorted((a, b) => a.sequence - b.sequence);
      return { entries, lastSequence, epoch, mark: lastMark, damagedNumber: log.damagedNumber };
    } catch (error) {
      await ownLock?.release();
      throw storageError(`open the queue in ${directory}`, error);
    }
  };

  return {
    async open() {
      if (opening || closing)
        throw new SednaError(
          `open the queue in ${directory}: expected a store that was never opened; create another store to open it again`,
          { code: "storage-failed" },
        );
      opening = start();
      return opening;
    },

    async put(entry, body) {
      const { appender, cleaner } = opened("store an item");
      lastSequence = Math.max(lastSequence, entry.sequence);
      try {
        await appender.append({
          record: { type: "put", entry },
          body,
          onWritten: (written) => place(entry.id, { sequence: entry.sequence, place: written }),
        });
      } catch (error) {
        if (error instanceof SednaError && error.code === "storage-full") cleaner.diskIsFull();
        throw error;
      }
    },

    async read(id) {
      opened("read an item");
      for (;;) {
        const at = held.get(id)?.place;
        if (!at) return undefined;
        const body = await readBodyAt(at.segment, at);
        // Cleaning may have moved the record meanwhile and removed its old segment.
        if (body || held.get(id)?.place === at) return body;
      }
    },

    async delete(ids) {
      const { appender, cleaner } = opened("delete items");
      const sequences = ids.flatMap((id) => forget(id)?.sequence ?? []);
      if (sequences.length === 0) return;
      try {
        await appender.append({ record: { type: "delete", sequences }, urgent: true });
      } catch (error) {
        owedDeletes = [...owedDeletes, ...sequences];
        if (!(error instanceof SednaError) || error.code !== "storage-full") throw error;
      } finally {
        await cleaner.clean();
      }
    },

    async mark(mark) {
      const { appender } = opened("store the clock mark");
      lastMark = mark;
      await appender.append({ record: stateRecord(), urgent: true });
    },

    async close() {
      closing ??= (async () => {
        await opening?.catch(() => undefined);
        if (!parts) return;
        const { appender, cleaner, lock } = parts;
        await cleaner.clean();
        // Without these, the next open finds a log that was not closed, and starts a new epoch.
        await appender
          .append({ record: stateRecord(true), urgent: true })
          .then(appender.sync)
          .catch(() => undefined);
        await appender.close();
        await lock.release();
      })();
      return closing;
    },
  };
}
