/// <reference lib="esnext.disposable" preserve="true" />
import type { GalleryId, GalleryMatch, GalleryPrecision, MatchOptions } from "./gallery.ts";

/**
 * A gallery that may be elsewhere: in a Worker, on a GPU, in several parts. Every {@link Gallery} is one. Calls take
 * effect in the order in which they are made, awaited or not, on the arguments as they are at the call; what throws
 * in a {@link Gallery} rejects where a promise is the answer.
 */
export interface GalleryPort {
  readonly dimensions: number;
  readonly precision: GalleryPrecision;
  /** Rows, after the calls that have settled. */
  readonly size: number;
  /** As {@link Gallery.set}. */
  set(ids: readonly GalleryId[], vectors: Float32Array): void | Promise<void>;
  /** As {@link Gallery.has}, after the calls that have settled. */
  has(id: GalleryId): boolean;
  /** As {@link Gallery.delete}. */
  delete(id: GalleryId): boolean | Promise<boolean>;
  /** As {@link Gallery.match}. */
  match(options: MatchOptions): GalleryMatch[][] | Promise<GalleryMatch[][]>;
  /** Gives its memory back. A second call does nothing; any other call after it throws or rejects. */
  dispose(): void | Promise<void>;
}

/** A {@link GalleryPort} whose calls all answer with promises. */
export interface AsyncGallery extends GalleryPort {
  set(ids: readonly GalleryId[], vectors: Float32Array): Promise<void>;
  delete(id: GalleryId): Promise<boolean>;
  match(options: MatchOptions): Promise<GalleryMatch[][]>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
