import { type MistnetPlan, type MistnetRecords, readMistnetUpload, toHex } from "@sedna-js/core/wire";
import type { FederationLog } from "../federation/log/federation-log.ts";

/**
 * Stores uploads as blobs of a federation log, in a directory or in memory. Nothing else of the log is used.
 */
export type UploadStore = Pick<FederationLog, "open" | "putBlob" | "getBlob" | "blobs" | "close">;

/** Uploads of a MistNet, one per device. */
export interface MistnetUploads {
  readonly count: number;
  /** Number of records in all uploads. */
  readonly records: number;
  /** Opens the store and counts the uploads in it. */
  open(): Promise<void>;
  /**
   * Stores a device's upload. Resolves to `stored`; to `duplicate` if the same bytes are already stored; to
   * `conflict` if other bytes are stored; or to `late` if the upload is new and uploads are no longer
   * accepted.
   * @throws {WireError} If the records do not match the plan.
   */
  put(device: string, bytes: Uint8Array): Promise<UploadOutcome>;
  /** Returns all records, including those still being written, in an order that a restart does not change. */
  read(): Promise<MistnetRecords[]>;
  close(): Promise<void>;
}

/** Result of an upload. */
export type UploadOutcome = "stored" | "duplicate" | "conflict" | "late";

const PREFIX = "upload-";

/** Options of {@link mistnetUploads}. */
interface MistnetUploadsOptions {
  readonly store: UploadStore;
  readonly plan: MistnetPlan;
  readonly isTaking: () => boolean;
}

/**
 * Creates a collection of uploads. Each upload is stored under the digest of the device's name, so that
 * client input never becomes a path.
 */
export function mistnetUploads({ store, plan, isTaking }: MistnetUploadsOptions): MistnetUploads {
  const counts = new Map<string, number>();
  // Process one upload of a device at a time: of two different uploads, the second must find the first.
  const turns = new Map<string, Promise<unknown>>();

  const put = async (blob: string, bytes: Uint8Array): Promise<UploadOutcome> => {
    const { labels } = readMistnetUpload(bytes, plan);
    const known = await store.getBlob(blob);
    if (known)
      return known.length === bytes.length && known.every((byte, i) => byte === bytes[i])
        ? "duplicate"
        : "conflict";
    if (!isTaking()) return "late";
    await store.putBlob(blob, bytes);
    counts.set(blob, labels.length);
    return "stored";
  };
  const names = async (): Promise<string[]> =>
    (await store.blobs()).filter((name) => name.startsWith(PREFIX)).toSorted();

  return {
    get count() {
      return counts.size;
    },
    get records() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    async open() {
      await store.open();
      for (const name of await names())
        counts.set(name, readMistnetUpload((await store.getBlob(name))!, plan).labels.length);
    },
    async put(device, bytes) {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(device)));
      const blob = `${PREFIX}${toHex(digest)}`;
      const turn = (turns.get(blob) ?? Promise.resolve()).catch(() => {}).then(() => put(blob, bytes));
      turns.set(blob, turn);
      try {
        return await turn;
      } finally {
        if (turns.get(blob) === turn) turns.delete(blob);
      }
    },
    async read() {
      await Promise.allSettled(turns.values());
      const all: MistnetRecords[] = [];
      for (const name of await names()) all.push(readMistnetUpload((await store.getBlob(name))!, plan));
      return all;
    },
    close: () => store.close(),
  };
}
