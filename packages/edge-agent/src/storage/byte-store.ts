/**
 * Bytes by key: the little that a model store needs of a disk. Adapters: files, OPFS, the Cache API, memory.
 * One conformance suite runs on all.
 */
export interface ByteStore {
  /** What was last set; undefined where there is nothing. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * At least one byte. All or nothing: after the death of the process there is the former value or this one.
   * @throws {RangeError} on no bytes. {SednaError} `storage-full` when there is no room, `storage-failed`
   * when it cannot be written.
   */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Deleting what is not there does nothing. */
  delete(key: string): Promise<void>;
  keys(): Promise<readonly string[]>;
}

/**
 * Keys are file names on every system: lower-case letters, digits, "-" and ".", at most 100. @throws
 * {RangeError} on others.
 */
export function checkKey(key: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(key))
    throw new RangeError(
      `use a byte store: expected a key of lower-case letters, digits, "-" and "."; got ${JSON.stringify(key)}`,
    );
  return key;
}

/**
 * A value as it may be stored: a file that was made for a value and never got it is empty too. @throws
 * {RangeError} on no bytes.
 */
export function checkValue(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) throw new RangeError("use a byte store: expected at least one byte; got none");
  return bytes;
}
