/**
 * The shape that every paradigm has for the program that runs it. `Input` is what a run needs, `Output` what
 * it yields.
 */
export interface Paradigm<Input extends readonly unknown[], Output, Status, Event> extends AsyncDisposable {
  /**
   * Runs until the work is done, the reader leaves the iteration, `signal` aborts, or `dispose` is called.
   *
   * @throws The signal's reason.
   * @throws {SednaError} `disposed` If the paradigm was disposed.
   */
  run(...input: [...Input, options?: { readonly signal?: AbortSignal }]): AsyncIterable<Output>;
  /** Returns a snapshot of the state and the counts. */
  status(): Status;
  /** Adds a listener for all events. Returns a function that removes it. */
  on(listener: (event: Event) => void): () => void;
  /** Ends the active run and releases what the paradigm owns. Later calls do nothing. */
  dispose(): Promise<void>;
}
