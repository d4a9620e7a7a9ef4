/** One thing that waits to be sent. */
export interface QueueEntry {
  /** Its idempotency key: the device's id, the store's epoch and a number that never repeats. */
  readonly id: string;
  /** Counts up in a store, never reused. */
  readonly sequence: number;
  /** "sample", "report", ...: the sender decides by it where it goes. */
  readonly kind: string;
  /** Larger goes first. */
  readonly priority: number;
  /** Unix ms, for people and for the receiver. */
  readonly createdAt: number;
  /**
   * When it was queued on the queue's own clock, in ms: that clock does not jump, and goes on after a
   * restart.
   */
  readonly queuedAtMs: number;
  /** How long it may wait in all, in ms; time that it has waited is counted on the queue's own clock. */
  readonly ttlMs: number;
  /** Bytes of the body. */
  readonly bytes: number;
}

/** Where the queue's own clock stood, and what the wall clock said then. */
export interface QueueMark {
  readonly queueMs: number;
  /** Unix ms. */
  readonly wallMs: number;
}

/** What a store holds when it is opened. */
export interface StoredQueue {
  /** Everything that is stored, in the order of `sequence`; without the bodies. */
  readonly entries: readonly QueueEntry[];
  /** At least the largest sequence that was ever put, also where that is deleted since; 0 in a new store. */
  readonly lastSequence: number;
  /**
   * Random letters and digits. Others than before wherever `lastSequence` may be wrong: the store is new, was
   * emptied, or was damaged.
   */
  readonly epoch: string;
  /** The last that was written with `mark`. */
  readonly mark: QueueMark | undefined;
  /** Places where what was stored is not readable any more. */
  readonly damagedNumber: number;
}

/**
 * Where a queue keeps what waits. Adapters: IndexedDB, an append-only file, memory. One conformance suite
 * runs on all.
 */
export interface QueueStore {
  /**
   * Comes first, once.
   * @throws {SednaError} `storage-failed` when it cannot be read, or another process has it open.
   */
  open(): Promise<StoredQueue>;
  /**
   * Stores an entry with its body, which is not to be changed meanwhile; what has resolved survives the death
   * of the process.
   * @throws {SednaError} `storage-full` when there is no room, `storage-failed` when it cannot be written;
   * what was stored before is unharmed.
   */
  put(entry: QueueEntry, body: Uint8Array): Promise<void>;
  /** The body of an entry; undefined where there is none such, or it is damaged. */
  read(id: string): Promise<Uint8Array | undefined>;
  /**
   * Takes entries out; ids that are not there are left out. On a full disk one may be back after a restart.
   */
  delete(ids: readonly string[]): Promise<void>;
  /** Notes where the queue's clock stands. */
  mark(mark: QueueMark): Promise<void>;
  /** Ends it; what was called before is done first. A second call does nothing. */
  close(): Promise<void>;
}
