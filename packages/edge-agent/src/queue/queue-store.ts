/** One thing that waits to be sent. */
export interface QueueEntry {
  /** Its idempotency key: the device's id and a number that never repeats. */
  readonly id: string;
  /** Counts up in a store, never reused. */
  readonly sequence: number;
  /** "sample", "report", ...: the sender decides by it where it goes. */
  readonly kind: string;
  /** Larger goes first. */
  readonly priority: number;
  /** Unix ms, for people and for the receiver. */
  readonly createdAt: number;
  /** How long it may wait in all, in ms; time that it has waited is counted on a clock that does not jump. */
  readonly ttlMs: number;
  /** Bytes of the body. */
  readonly bytes: number;
}

/** Where a queue keeps what waits. Adapters: IndexedDB, an append-only file, memory. One conformance suite runs on all. */
export interface QueueStore {
  /** Everything that is stored, in the order of `sequence`. Comes first, once. */
  open(): Promise<readonly QueueEntry[]>;
  /**
   * Stores an entry with its body; what has resolved survives the death of the process.
   * @throws {SednaError} `storage-full` when there is no room; what was stored before is unharmed.
   */
  put(entry: QueueEntry, body: Uint8Array): Promise<void>;
  /** The body of an entry; undefined where there is none such. */
  read(id: string): Promise<Uint8Array | undefined>;
  delete(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
