/** Events of a source that is restarted. See `restartSource`. */
export type SourceEvent =
  /** The first sample arrived after the source was opened. */
  | { readonly type: "source-opened" }
  /** The source failed, or a live one ended; it is opened again after the wait. */
  | { readonly type: "source-failed"; readonly message: string; readonly retryInMs: number };
