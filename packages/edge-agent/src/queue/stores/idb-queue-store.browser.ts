import { randomHex } from "@sedna-js/core/wire";
import { SednaError } from "@sedna-js/core";
import type { DBSchema, IDBPDatabase } from "idb";
import { parseQueueEntry, parseQueueState } from "../parse-queue-entry.ts";
import {
  EPOCH_BYTES,
  type QueueEntry,
  type QueueMark,
  type QueueStore,
  type StoredQueue,
} from "../queue-store.ts";

interface QueueSchema extends DBSchema {
  entries: { key: string; value: QueueEntry };
  bodies: { key: string; value: Uint8Array };
  /** A single value by name: the state of the store. */
  state: { key: string; value: unknown };
}

/** Number of sequences reserved at once, so that most items need no write of the largest sequence. */
const SEQUENCES_AHEAD = 1000;

/**
 * Creates a queue store in IndexedDB. Entries and bodies are separate, so that opening reads no bodies. Each
 * item is one transaction, for which the browser is asked to flush to the disk. If the database is closed or
 * deleted during a call, the call opens it once more. Two pages must not have it open at the same time: see
 * `becomeLeader`.
 */
export function idbQueueStore({ name }: { readonly name: string }): QueueStore {
  let database: Promise<IDBPDatabase<QueueSchema>> | undefined;
  /** The connection to which `database` resolved. */
  let current: IDBPDatabase<QueueSchema> | undefined;
  let epoch = "";
  let lastMark: QueueMark | undefined;
  /** Sequences up to this one are reserved in the store. */
  let reserved = 0;
  let lastSequence = 0;
  let opening: Promise<StoredQueue> | undefined;
  let closing: Promise<void> | undefined;
  const underWay = new Set<Promise<unknown>>();

  const connect = async (): Promise<IDBPDatabase<QueueSchema>> => {
    // Import on use: an agent without a queue need not load it.
    const { openDB } = await import("idb");
    const forget = (): void => leave(opened);
    const opened: IDBPDatabase<QueueSchema> = await openDB<QueueSchema>(name, 1, {
      upgrade(fresh) {
        for (const store of ["entries", "bodies", "state"] as const) fresh.createObjectStore(store);
      },
      // Another page deletes or upgrades the database, and must not wait for this one.
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
   * Drops a connection. If several calls find it closed, only the first drops it; the others must not drop
   * the next connection.
   */
  const leave = (left: IDBPDatabase<QueueSchema>): void => {
    left.close();
    if (current !== left) return;
    database = current = undefined;
    // If the next connection finds a new database, the sequences must be reserved again.
    reserved = 0;
  };

  /**
   * Runs work on the database. If the database was closed meanwhile, runs it once more on a new connection.
   */
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
    epoch = randomHex(EPOCH_BYTES);
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
    // The epoch must be stored before an id uses it. If the database is full, this fails and each put stores
    // the epoch again.
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
            `open the queue in the database ${name}: expected a store that was never opened; create another store to open it again`,
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
            // A view of a larger buffer would be stored with the whole buffer.
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
      call("store the clock mark", async (opened) => {
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
  return new SednaError(`${action}: expected IndexedDB to succeed; got ${String(cause)}`, {
    code: isFull ? "storage-full" : "storage-failed",
    retryable: isFull,
    cause,
  });
}
