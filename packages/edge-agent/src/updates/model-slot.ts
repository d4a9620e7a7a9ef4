import type { Estimator } from "@sedna-js/core";

/** One answer of the model in a slot, as a watcher sees it. */
export interface Watched<Sample, Result> {
  readonly sample: Sample;
  readonly result?: Result;
  readonly error?: unknown;
  /** Duration of the call, in ms. */
  readonly ms: number;
}

/** A place for a model that can be exchanged while frames flow: an estimator that is another one after `swap`. */
export interface ModelSlot<Sample, Result, Model extends Estimator<Sample, Result>> extends Estimator<Sample, Result> {
  readonly current: Model;
  /**
   * From the next call on, `next` answers. Resolves with the former model when it has answered what it had
   * taken; the caller disposes it, or keeps it to come back to.
   */
  swap(next: Model): Promise<Model>;
  /** Sees every answer until the returned function is called. The sample is the caller's: whoever keeps it copies it in the call. */
  watch(watcher: (watched: Watched<Sample, Result>) => void): () => void;
}
