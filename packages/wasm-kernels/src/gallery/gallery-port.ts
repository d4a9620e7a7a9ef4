/// <reference lib="esnext.disposable" preserve="true" />
import type { GalleryId, GalleryMatch, GalleryPrecision, MatchOptions } from "./gallery.ts";

/**
 * A gallery that may be elsewhere: in a Worker, on a GPU, or in several shards. Every {@link Gallery} is a
 * `GalleryPort`. Calls take effect in the order in which they are made, whether awaited or not, with the
 * arguments as they are at the time of the call. If a method returns a promise, the promise rejects with the
 * error that a {@link Gallery} would throw.
 */
export interface GalleryPort {
  readonly dimensions: number;
  readonly precision: GalleryPrecision;
  /** Number of rows after the settled calls. */
  readonly size: number;
  /** See {@link Gallery.set}. */
  set(ids: readonly GalleryId[], vectors: Float32Array): void | Promise<void>;
  /** See {@link Gallery.has}. Reflects the settled calls. */
  has(id: GalleryId): boolean;
  /** See {@link Gallery.delete}. */
  delete(id: GalleryId): boolean | Promise<boolean>;
  /** See {@link Gallery.match}. */
  match(options: MatchOptions): GalleryMatch[][] | Promise<GalleryMatch[][]>;
  /** Releases the memory. A second call has no effect; any other later call throws or rejects. */
  dispose(): void | Promise<void>;
}

/** A {@link GalleryPort} whose `set`, `delete`, `match`, and `dispose` return promises. */
export interface AsyncGallery extends GalleryPort {
  set(ids: readonly GalleryId[], vectors: Float32Array): Promise<void>;
  delete(id: GalleryId): Promise<boolean>;
  match(options: MatchOptions): Promise<GalleryMatch[][]>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
