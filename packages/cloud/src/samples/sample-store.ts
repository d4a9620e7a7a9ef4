import { SednaError } from "@sedna-js/core";

/** A page of ids, and where the next begins; undefined at the end. */
export interface SamplePage {
  readonly ids: readonly string[];
  readonly next?: string;
}

/**
 * Where samples are kept, each as the bytes that came. Adapters: memory, a directory. One conformance suite
 * runs on both.
 */
export interface SampleStore {
  /** Comes first, once. */
  open(): Promise<void>;
  /**
   * Keeps a sample under its id; what has resolved with `stored` survives the death of the process.
   * `duplicate`: the same bytes are there already. `conflict`: other bytes are, and stay.
   * @throws {SednaError} `storage-full` when there is no room; what was kept before is unharmed.
   */
  put(id: string, bytes: Uint8Array): Promise<"stored" | "duplicate" | "conflict">;
  /** The bytes of a sample; undefined where there is none such. */
  read(id: string): Promise<Uint8Array | undefined>;
  /** Ids in an order of the store's own, each once; `after` is the `next` of the page before. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<SamplePage>;
  /** Whether so many bytes would fit now. */
  hasRoom(bytes: number): Promise<boolean>;
}

/** Samples in memory, for tests and small clouds; they die with the process. */
export function memorySamples({ maxBytes = 2 ** 28 }: { readonly maxBytes?: number } = {}): SampleStore {
  const samples = new Map<string, Uint8Array>();
  let used = 0;
  return {
    async open() {},
    async put(id, bytes) {
      const known = samples.get(id);
      if (known) return sameBytes(known, bytes) ? "duplicate" : "conflict";
      if (used + bytes.length > maxBytes)
        throw new SednaError(
          `keep the sample ${id}: expected at most ${maxBytes} bytes in all; got ${used + bytes.length}`,
          { code: "storage-full", retryable: true },
        );
      used += bytes.length;
      // Copied: the caller's buffer may live on in a pool.
      samples.set(id, Uint8Array.from(bytes));
      return "stored";
    },
    async read(id) {
      return samples.get(id);
    },
    async list({ after, limit }) {
      const ids = [...samples.keys()].toSorted();
      const from = after === undefined ? 0 : ids.findIndex((id) => id > after);
      const page = from < 0 ? [] : ids.slice(from, from + limit);
      return from >= 0 && from + limit < ids.length ? { ids: page, next: page.at(-1)! } : { ids: page };
    },
    async hasRoom(bytes) {
      return used + bytes <= maxBytes;
    },
  };
}

/** True where two samples are the same to the byte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
