/** Options of {@link becomeLeader}. */
export interface LeadershipOptions {
  readonly name: string;
  /** Ends the wait, or the leadership. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when nothing else leads by this name, and leads until the signal is aborted or the page is gone.
 * Of several tabs one leads; when it ends the next does at once. In Node at once: the lock of the queue's
 * directory does the same there.
 *
 * @throws the signal's reason when it is aborted before.
 * @throws {SednaError} `unsupported-platform` in a browser without Web Locks.
 */
export declare function becomeLeader(options: LeadershipOptions): Promise<void>;
