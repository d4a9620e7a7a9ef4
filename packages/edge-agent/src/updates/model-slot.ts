import type { Estimator } from "@sedna-js/core";

/** One answer of the model in a slot, as a watcher sees it. */
export interface Watched<Sample, Result, Model> {
  readonly sample: Sample;
  /** The model that was asked; after a swap its predecessor's last answers still come. */
  readonly model: Model;
  readonly result?: Result;
  readonly error?: unknown;
  /** Duration of the call, in ms. */
  readonly ms: number;
}

/**
 * A place for a model that can be exchanged while frames flow: an estimator that is another one after `swap`.
 */
export interface ModelSlot<Sample, Result, Model extends Estimator<Sample, Result>> extends Estimator<
  Sample,
  Result
> {
  readonly current: Model;
  /**
   * From the next call on, `next` answers. Resolves with the former model when it has answered what it had
   * taken; the caller disposes it, or keeps it to come back to.
   */
  swap(next: Model): Promise<Model>;
  /**
   * Sees every answer, before its caller does, until the returned function is called. Calls that their caller
   * gave up are not shown. The sample is the caller's: whoever keeps it copies it in the call.
   */
  watch(watcher: (watched: Watched<Sample, Result, Model>) => void): () => void;
}
