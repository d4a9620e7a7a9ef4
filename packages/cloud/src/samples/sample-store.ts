import { SednaError } from "@sedna-js/core";

/** A page of ids and the position of the next page; `undefined` at the end. */
export interface SamplePage {
  readonly ids: readonly string[];
  readonly next?: string;
}

/**
 * Stores samples, each as the bytes received. Adapters: memory, a directory. Both pass one conformance suite.
 */
export interface SampleStore {
  /** Opens the store. Called once, before all other methods. */
  open(): Promise<void>;
  /**
   * Stores a sample under its id. Once this resolves with `stored`, the sample survives a process crash.
   * `duplicate`: the same bytes are already stored. `conflict`: other bytes are stored, and stay.
   * @throws {SednaError} `storage-full` if there is no space; stored samples are unaffected.
   */
  put(id: string, bytes: Uint8Array): Promise<"stored" | "duplicate" | "conflict">;
  /** Returns the bytes of a sample; `undefined` if there is no such sample. */
  read(id: string): Promise<Uint8Array | undefined>;
  /** Lists ids in the store's own order, each once. `after` is the `next` of the previous page. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<SamplePage>;
  /** Returns whether the given number of bytes would fit now. */
  hasRoom(bytes: number): Promise<boolean>;
}

/** Creates a store in memory, for tests and small clouds. The samples are lost when the process ends. */
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
      // Copy the bytes: the caller may reuse its buffer.
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

/** Returns whether two samples are byte-identical. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
