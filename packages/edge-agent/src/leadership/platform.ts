/** Options of {@link becomeLeader}. */
export interface LeadershipOptions {
  readonly name: string;
  /** Cancels the wait, or ends the leadership. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when this page becomes the leader by this name. It remains the leader until `signal` is aborted or
 * the page ends. One of several tabs leads; when it ends, the next one leads at once. Resolves at once in
 * Node, where the lock of the queue's directory has the same effect.
 *
 * @throws The reason of `signal`, if it is aborted before.
 * @throws {SednaError} `unsupported-platform` in a browser without Web Locks.
 */
export declare function becomeLeader(options: LeadershipOptions): Promise<void>;
