import type { KernelMemory, ModuleExports } from "../../module/kernel-memory.ts";

/**
 * Exports of the module `perception`, written by hand: see `rust/src/abi/perception.rs`. Every address is a
 * byte offset in `memory`.
 */
export interface PerceptionExports extends ModuleExports {
  ibt(
    scores: number,
    offsets: number,
    images: number,
    thresholdBox: number,
    share: number,
    hard: number,
  ): void;
  threshold(scores: number, offsets: number, images: number, threshold: number, hard: number): void;
  cross_entropy(
    probabilities: number,
    rows: number,
    classes: number,
    scale: number,
    confidences: number,
  ): void;
  top_class(
    scores: number,
    rows: number,
    classes: number,
    threshold: number,
    index: number,
    label: number,
    score: number,
  ): number;
  gfl_decode(
    distances: number,
    cells: number,
    count: number,
    bins: number,
    stride: number,
    gridWidth: number,
    boxes: number,
  ): void;
  heatmap_peaks(heatmap: number, height: number, width: number, threshold: number, cells: number): number;
  nms(
    boxes: number,
    scores: number,
    labels: number,
    count: number,
    iou: number,
    groups: number,
    kept: number,
    most: number,
  ): number;
  image_to_tensor(plan: number, source: number, sourceBytes: number, rowBytes: number, tensor: number): void;
}

/** Memory of an instance of `perception`. */
export type PerceptionMemory = KernelMemory<PerceptionExports>;
