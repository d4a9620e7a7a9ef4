/** What a source that is opened again and again tells; see `restartSource`. */
export type SourceEvent =
  /** The first sample came after an opening. */
  | { readonly type: "source-opened" }
  /** The source failed, or a live one ended; it is opened again after the wait. */
  | { readonly type: "source-failed"; readonly message: string; readonly retryInMs: number };
