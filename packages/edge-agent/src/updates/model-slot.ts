import type { Estimator } from "@sedna-js/core";

/** A call of the model in a slot, as a watcher receives it. */
export interface Watched<Sample, Result, Model> {
  readonly sample: Sample;
  /** The model that was called. After a swap, the last results of the previous model still arrive. */
  readonly model: Model;
  readonly result?: Result;
  readonly error?: unknown;
  /** Duration of the call, in ms. */
  readonly ms: number;
}

/**
 * A slot for a model that can be replaced while frames flow: an estimator that uses another model after
 * `swap`.
 */
export interface ModelSlot<Sample, Result, Model extends Estimator<Sample, Result>> extends Estimator<
  Sample,
  Result
> {
  readonly current: Model;
  /**
   * Uses `next` from the next call on. Resolves with the previous model when its pending calls have ended;
   * the caller disposes that model, or keeps it for a rollback.
   */
  swap(next: Model): Promise<Model>;
  /**
   * Calls `watcher` with every result before the caller receives it, until the returned function is called.
   * Calls aborted by their caller are not shown. The sample belongs to the caller: a watcher that keeps it
   * must copy it during the call.
   */
  watch(watcher: (watched: Watched<Sample, Result, Model>) => void): () => void;
}
