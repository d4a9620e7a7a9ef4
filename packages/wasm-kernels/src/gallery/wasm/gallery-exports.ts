import type { KernelMemory, ModuleExports } from "../../module/kernel-memory.ts";

/**
 * The gallery's exports of the modules `vectors` and `vectors-relaxed`, by hand: see
 * `rust/src/abi/gallery.rs`. Every address is a byte offset in `memory`.
 */
export interface GalleryExports extends ModuleExports {
  float_match_one(
    panels: number,
    rows: number,
    query: number,
    dimensions: number,
    firstSlot: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
  float_match_four(
    panels: number,
    rows: number,
    queries: number,
    dimensions: number,
    firstSlot: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
  int8_groups(dimensions: number): number;
  int8_put(row: number, dimensions: number, lane: number, panel: number, numbers: number): void;
  int8_pack(query: number, dimensions: number, packed: number, stride: number): void;
  int8_match_one(
    panels: number,
    numbers: number,
    rows: number,
    query: number,
    groups: number,
    firstSlot: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
  int8_match_four(
    panels: number,
    numbers: number,
    rows: number,
    queries: number,
    groups: number,
    firstSlot: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
  sketch(work: number, length: number, sketch: number): void;
  sketch_match_one(
    sketches: number,
    rows: number,
    query: number,
    firstSlot: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
  rescore(
    table: number,
    rows: number,
    query: number,
    length: number,
    firstSlot: number,
    candidates: number,
    count: number,
    scores: number,
    slots: number,
    k: number,
  ): void;
}

/** Memory of an instance whose module has the gallery's exports. */
export type GalleryMemory = KernelMemory<GalleryExports>;
