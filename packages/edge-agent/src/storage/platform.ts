import type { ByteStore } from "./byte-store.ts";

/**
 * Asks the browser not to clear what is stored when its disk is short; Firefox asks the visitor. False where
 * it will not promise. In Node nothing is cleared.
 */
export declare function keepStorage(): Promise<boolean>;

/** SHA-256 of bytes that come in pieces. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Ends it: 64 digits in lower case. */
  hex(): string;
}

/** A new SHA-256. */
export declare function sha256(): Sha256;

/** Options of {@link openByteStore}. */
export interface ByteStoreOptions {
  /** Of the folder or cache. Browsers. */
  readonly name: string;
  /** Where the files are kept. Node. */
  readonly directory: string;
  /** Told when something is kept in memory only, because the browser's storage has no room. */
  readonly onDegraded?: (event: { readonly key: string; readonly error: unknown }) => void;
}

/**
 * Bytes on this platform's disk: files in Node; in browsers the private file system, else a cache, else
 * memory.
 */
export declare function openByteStore(options: ByteStoreOptions): Promise<ByteStore>;
