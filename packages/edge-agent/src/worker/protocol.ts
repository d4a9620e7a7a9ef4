import type { EstimatorMetadata, PlainError } from "@sedna-js/core";

/** A reply that carries its error as data: structured clone would lose the code. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PlainError };

/** A sample on its way into a Worker. */
export type PostedSample = { readonly kind: "frame"; readonly handle: unknown } | { readonly kind: "plain"; readonly sample: unknown };

/** The calls that an exposed estimator answers. */
export interface RemoteEstimator {
  load(): Promise<Reply<EstimatorMetadata>>;
  predict(id: number, sample: PostedSample): Promise<Reply<unknown>>;
  cancel(id: number): void;
  dispose(): Promise<Reply<undefined>>;
}
