import { readMistnetUpload, type MistnetPlan, type MistnetRecords } from "@sedna-js/core/wire";
import type { FederationLog } from "../federation/log/federation-log.ts";

/** Where uploads are kept: the blobs of a log, in a directory or in memory, of which nothing else is used. */
export type UploadStore = Pick<FederationLog, "open" | "putBlob" | "getBlob" | "blobs" | "close">;

/** Uploads of a MistNet, one a device. */
export interface MistnetUploads {
  readonly count: number;
  /** In all uploads. */
  readonly records: number;
  /** Opens the store, and counts what is there. */
  open(): Promise<void>;
  /**
   * Keeps a device's upload: `stored`, `duplicate` where the same bytes are there, `conflict` where others
   * are, `late` where it is new and nothing more is taken. @throws {WireError} on records that are not the
   * plan's.
   */
  put(device: string, bytes: Uint8Array): Promise<UploadOutcome>;
  /** All records, with what is on its way to the disk, in an order that a restart does not change. */
  read(): Promise<MistnetRecords[]>;
  close(): Promise<void>;
}

/** What became of an upload. */
export type UploadOutcome = "stored" | "duplicate" | "conflict" | "late";

const PREFIX = "upload-";

/** Options of {@link mistnetUploads}. */
interface MistnetUploadsOptions {
  readonly store: UploadStore;
  readonly plan: MistnetPlan;
  readonly isTaking: () => boolean;
}

/** Keeps uploads under the digest of the device's name, so that no text of a client's is ever a path. */
export function mistnetUploads({ store, plan, isTaking }: MistnetUploadsOptions): MistnetUploads {
  const counts = new Map<string, number>();
  // One upload of a device at a time: of two that differ the second must find the first.
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
      const blob = `${PREFIX}${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
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
