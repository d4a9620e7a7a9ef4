import type { EstimatorMetadata, PlainError } from "@sedna-js/core";
import type { GalleryId, GalleryMatch, GalleryOptions, GalleryPort, MatchOptions } from "@sedna-js/wasm-kernels";

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

/** The calls that an exposed gallery answers, in their order. */
export interface RemoteGallery {
  /** Comes first; a second time it tells of the same gallery. */
  open(options: GalleryOptions): Promise<Reply<Pick<GalleryPort, "dimensions" | "precision" | "size">>>;
  set(rows: { readonly ids: readonly GalleryId[]; readonly vectors: Float32Array }): Promise<Reply<void>>;
  delete(id: GalleryId): Promise<Reply<boolean>>;
  match(options: MatchOptions): Promise<Reply<GalleryMatch[][]>>;
  dispose(): Promise<Reply<undefined>>;
}
