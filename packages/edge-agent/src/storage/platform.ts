import type { ByteStore } from "./byte-store.ts";

/**
 * Asks the browser not to evict stored data when the disk is full. Firefox asks the visitor. Resolves with
 * `false` if the browser does not promise that. Node never evicts data.
 */
export declare function keepStorage(): Promise<boolean>;

/** An incremental SHA-256 hash. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** Ends the hash and returns its 64 lowercase hexadecimal digits. */
  hex(): string;
}

/** Creates a SHA-256 hash. */
export declare function sha256(): Sha256;

/** Options of {@link openByteStore}. */
export interface ByteStoreOptions {
  /** Browsers: name of the folder or cache. */
  readonly name: string;
  /** Node: directory of the files. */
  readonly directory: string;
  /** Called when an entry is kept in memory only, because the browser's storage is full or unavailable. */
  readonly onDegraded?: (event: { readonly key: string; readonly error: unknown }) => void;
}

/**
 * Opens a byte store on this platform's disk: files in Node; in browsers the origin private file system, else
 * a cache, else memory.
 */
export declare function openByteStore(options: ByteStoreOptions): Promise<ByteStore>;
