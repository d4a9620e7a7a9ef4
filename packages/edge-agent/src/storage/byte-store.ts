/**
 * Bytes by key: the storage interface of a model store. Adapters exist for files, OPFS, the Cache API, and
 * memory. One conformance suite covers all of them.
 */
export interface ByteStore {
  /** Returns the last stored value, or `undefined` if there is none. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Stores at least one byte, atomically: after a process crash, the key holds either the previous value or
   * this one.
   * @throws {RangeError} If `bytes` is empty.
   * @throws {SednaError} `storage-full` if there is no space, `storage-failed` if the value cannot be
   * written.
   */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Deletes a key. Does nothing if the key does not exist. */
  delete(key: string): Promise<void>;
  keys(): Promise<readonly string[]>;
}

/**
 * Returns the key if it is a valid file name on every system: lower-case letters, digits, "-" and ".", at
 * most 100. @throws {RangeError} If it is not.
 */
export function checkKey(key: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(key))
    throw new RangeError(
      `use a byte store: expected a key of lower-case letters, digits, "-" and "."; got ${JSON.stringify(key)}`,
    );
  return key;
}

/**
 * Returns the value if it may be stored. An empty value may not: a file that was created but never written is
 * empty, too. @throws {RangeError} If `bytes` is empty.
 */
export function checkValue(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) throw new RangeError("use a byte store: expected at least one byte; got none");
  return bytes;
}
