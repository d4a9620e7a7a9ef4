/** An item that is pending in the queue. */
export interface QueueEntry {
  /** Idempotency key: the device's id, the store's epoch, and a number that never repeats. */
  readonly id: string;
  /** Increases within a store, and is never reused. */
  readonly sequence: number;
  /** Kind of the item: "sample", "report", ... The sender routes by it. */
  readonly kind: string;
  /**
   * Content of a sample: `features`, `crop`, `blurred`, or `full`. The privacy policy at the time of sending
   * decides by it whether the sample may leave the device.
   */
  readonly privacyKind?: string;
  /** Items of higher priority are sent first. */
  readonly priority: number;
  /** Creation time in Unix ms, for display and for the receiver. */
  readonly createdAt: number;
  /**
   * Time of queuing on the queue's own clock, in ms. That clock does not jump, and continues after a restart.
   */
  readonly queuedAtMs: number;
  /** Time to live, in ms, measured on the queue's own clock. */
  readonly ttlMs: number;
  /** Size of the body, in bytes. */
  readonly bytes: number;
}

/** Number of random bytes of {@link StoredQueue.epoch}. */
export const EPOCH_BYTES = 6;

/** The state of the queue's own clock, and the wall clock at that moment. */
export interface QueueMark {
  readonly queueMs: number;
  /** Unix time in ms. */
  readonly wallMs: number;
}

/** Content of a store when it is opened. */
export interface StoredQueue {
  /** All stored entries in the order of `sequence`, without their bodies. */
  readonly entries: readonly QueueEntry[];
  /** At least the largest sequence ever stored, even if it has been deleted; 0 in a new store. */
  readonly lastSequence: number;
  /**
   * Random letters and digits. They change whenever `lastSequence` may be wrong: the store is new, was
   * cleared, or was damaged.
   */
  readonly epoch: string;
  /** The mark that was stored last. */
  readonly mark: QueueMark | undefined;
  /** Number of stored parts that cannot be read any more. */
  readonly damagedNumber: number;
}

/**
 * Durable storage of a queue. Adapters: IndexedDB, an append-only file, memory. One conformance suite covers
 * all of them.
 */
export interface QueueStore {
  /**
   * Opens the store. Must be called first, and only once.
   * @throws {SednaError} `storage-failed` if the store cannot be read, or another process has it open.
   */
  open(): Promise<StoredQueue>;
  /**
   * Stores an entry with its body, which must not be modified meanwhile. A resolved item survives a process
   * crash.
   * @throws {SednaError} `storage-full` if there is no space, `storage-failed` if the write fails. Items
   * stored before are unharmed.
   */
  put(entry: QueueEntry, body: Uint8Array): Promise<void>;
  /** Returns the body of an entry, or `undefined` if it does not exist or is damaged. */
  read(id: string): Promise<Uint8Array | undefined>;
  /**
   * Deletes entries and ignores unknown ids. On a full disk, a deleted entry may reappear after a restart.
   */
  delete(ids: readonly string[]): Promise<void>;
  /** Stores the state of the queue's clock. */
  mark(mark: QueueMark): Promise<void>;
  /**
   * Closes the store after all earlier calls. Further calls of `close` have no effect; other calls reject
   * with `disposed`.
   */
  close(): Promise<void>;
}
