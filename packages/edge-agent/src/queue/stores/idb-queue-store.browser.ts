import { SednaError } from "@sedna-js/core";
import type { DBSchema, IDBPDatabase } from "idb";
import { newEpoch } from "../new-epoch.ts";
import { parseQueueEntry, parseQueueState } from "../parse-queue-entry.ts";
import type { QueueEntry, QueueMark, QueueStore, StoredQueue } from "../queue-store.ts";

interface QueueSchema extends DBSchema {
  entries: { key: string; value: QueueEntry };
  bodies: { key: string; value: Uint8Array };
  /** One value, by its name: what the store knows of itself. */
  state: { key: string; value: unknown };
}

/** Sequences that are taken from the store at once; so most items cost no write of the largest one. */
const SEQUENCES_AHEAD = 1000;

/**
 * A queue's store in IndexedDB: entries and bodies apart, so that opening reads no bodies. Each item is one
 * transaction that the browser is asked to flush to the disk. A database that is closed or deleted under it
 * is opened once more for each call. Two pages may not have one open: see `becomeLeader`.
 */
export function idbQueueStore({ name }: { readonly name: string }): QueueStore {
  let database: Promise<IDBPDatabase<QueueSchema>> | undefined;
  /** What `database` came to. */
  let current: IDBPDatabase<QueueSchema> | undefined;
  let epoch = "";
  let lastMark: QueueMark | undefined;
  /** Sequences up to here are the store's already. */
  let reserved = 0;
  let lastSequence = 0;
  let opening: Promise<StoredQueue> | undefined;
  let closing: Promise<void> | undefined;
  const underWay = new Set<Promise<unknown>>();

  const connect = async (): Promise<IDBPDatabase<QueueSchema>> => {
    // On use: an agent without a queue need not fetch it.
    const { openDB } = await import("idb");
    const forget = (): void => leave(opened);
    const opened: IDBPDatabase<QueueSchema> = await openDB<QueueSchema>(name, 1, {
      upgrade(fresh) {
        for (const store of ["entries", "bodies", "state"] as const) fresh.createObjectStore(store);
      },
      // Another page deletes the database, or a later version wants it: it must not wait for us.
      blocking: forget,
      terminated: forget,
    });
    return opened;
  };
  const connected = (): Promise<IDBPDatabase<QueueSchema>> => {
    database ??= connect().then(
      (opened) => (current = opened),
      (error: unknown) => {
        database = undefined;
        throw error;
      },
    );
    return database;
  };
  /**
   * Gives up a connection. Of several calls that find it closed the first does; the others are not to give up
   * the next one.
   */
  const leave = (left: IDBPDatabase<QueueSchema>): void => {
    left.close();
    if (current !== left) return;
    database = current = undefined;
    // Where the next connection finds a new database, that must hear of the sequences again.
    reserved = 0;
  };

  /** Runs work on the database; where that was closed under it, once more on a new connection. */
  const run = async <T>(
    action: string,
    work: (database: IDBPDatabase<QueueSchema>) => Promise<T>,
  ): Promise<T> => {
    try {
      const first = await connected();
      try {
        return await work(first);
      } catch (error) {
        const isClosed =
          error instanceof DOMException &&
          ["InvalidStateError", "AbortError", "NotFoundError"].includes(error.name);
        if (!isClosed) throw error;
        leave(first);
        return await work(await connected());
      }
    } catch (error) {
      throw databaseError(action, error);
    }
  };
  const call = <T>(action: string, work: (database: IDBPDatabase<QueueSchema>) => Promise<T>): Promise<T> => {
    if (!opening || closing)
      return Promise.reject(
        new SednaError(`${action}: expected an open queue in the database ${name}; got one that is closed`, {
          code: "disposed",
        }),
      );
    const result = run(action, work);
    underWay.add(result);
    const leave = (): void => void underWay.delete(result);
    result.then(leave, leave);
    return result;
  };
  const state = (): unknown => ({ epoch, lastSequence: reserved, mark: lastMark, closed: false });

  const load = async (opened: IDBPDatabase<QueueSchema>): Promise<StoredQueue> => {
    const [kept, values] = await Promise.all([opened.get("state", "queue"), opened.getAll("entries")]);
    const entries: QueueEntry[] = [];
    let damagedNumber = 0;
    for (const value of values) {
      try {
        entries.push(parseQueueEntry(value));
      } catch {
        damagedNumber++;
      }
    }
    lastSequence = entries.reduce((largest, { sequence }) => Math.max(largest, sequence), 0);
    epoch = newEpoch();
    if (kept !== undefined) {
      try {
        const known = parseQueueState(kept);
        lastSequence = Math.max(lastSequence, known.lastSequence);
        lastMark = known.mark;
        if (damagedNumber === 0) epoch = known.epoch;
      } catch {
        damagedNumber++;
      }
    }
    reserved = lastSequence;
    // The epoch must be there before an id with it is given out. A full database says no; then each put says
    // it again.
    await opened.put("state", state(), "queue").catch(() => (reserved = 0));
    return {
      entries: entries.toSorted((a, b) => a.sequence - b.sequence),
      lastSequence,
      epoch,
      mark: lastMark,
      damagedNumber,
    };
  };

  return {
    open() {
      if (opening || closing)
        return Promise.reject(
          new SednaError(
            `open the queue in the database ${name}: expected it to be opened once; make another store to open it again`,
            { code: "storage-failed" },
          ),
        );
      opening = run(`open the queue in the database ${name}`, load);
      return opening;
    },
    put: (entry, body) =>
      call("store an item", async (opened) => {
        lastSequence = Math.max(lastSequence, entry.sequence);
        const before = reserved;
        const takesMore = entry.sequence > reserved;
        if (takesMore) reserved = lastSequence + SEQUENCES_AHEAD;
        const transaction = opened.transaction(["entries", "bodies", "state"], "readwrite", {
          durability: "strict",
        });
        try {
          await Promise.all([
            transaction.objectStore("entries").put(entry, entry.id),
            // A part of a larger buffer would be stored with all of that.
            transaction
              .objectStore("bodies")
              .put(body.byteLength === body.buffer.byteLength ? body : body.slice(), entry.id),
            ...(takesMore ? [transaction.objectStore("state").put(state(), "queue")] : []),
            transaction.done,
          ]);
        } catch (error) {
          if (takesMore) reserved = Math.min(reserved, before);
          throw error;
        }
      }),
    read: (id) =>
      call("read an item", async (opened) => {
        const body: unknown = await opened.get("bodies", id);
        return body instanceof Uint8Array ? body : undefined;
      }),
    delete: (ids) =>
      call("delete items", async (opened) => {
        if (ids.length === 0) return;
        const transaction = opened.transaction(["entries", "bodies"], "readwrite", { durability: "strict" });
        await Promise.all([
          ...ids.flatMap((id) => [
            transaction.objectStore("entries").delete(id),
            transaction.objectStore("bodies").delete(id),
          ]),
          transaction.done,
        ]);
      }),
    mark: (mark) =>
      call("note the time", async (opened) => {
        lastMark = mark;
        reserved = Math.max(reserved, lastSequence);
        await opened.put("state", state(), "queue");
      }),
    close() {
      closing ??= (async () => {
        await opening?.catch(() => undefined);
        await Promise.allSettled(underWay);
        (await database?.catch(() => undefined))?.close();
      })();
      return closing;
    },
  };
}

function databaseError(action: string, cause: unknown): SednaError {
  if (cause instanceof SednaError) return cause;
  const isFull = cause instanceof DOMException && cause.name === "QuotaExceededError";
  return new SednaError(`${action}: expected IndexedDB to do it; got ${String(cause)}`, {
    code: isFull ? "storage-full" : "storage-failed",
    retryable: isFull,
    cause,
  });
}
