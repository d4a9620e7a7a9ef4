/**
 * Numeric kernels of sedna-js: Rust compiled to WebAssembly, and a slow reference implementation in
 * TypeScript.
 */

export type { AssignOptions, Assignment } from "./tracking/assignment.ts";
export type { LoadKernelSetOptions } from "./module/load-module.ts";
export type { BackendName } from "./module/backend.ts";
export type { BoxIouOptions } from "./tracking/box-iou.ts";
export { checksum } from "./vectors/checksum.ts";
export type { CrossEntropyOptions } from "./perception/cross-entropy.ts";
export type { FrameChange, FrameDifference, FrameDifferenceSpec } from "./tracking/frame-difference.ts";
export type { AsyncGallery, GalleryPort } from "./gallery/gallery-port.ts";
export type {
  Gallery,
  GalleryId,
  GalleryMatch,
  GalleryOptions,
  GalleryPrecision,
  MatchOptions,
} from "./gallery/gallery.ts";
export type { GflDecodeOptions } from "./perception/gfl-decode.ts";
export type { Head } from "./training/head.ts";
export type { HeadEpochResult, HeadTrainer } from "./training/head-trainer.ts";
export type { HeadOptimizer, HeadTrainerOptions } from "./training/head-training.ts";
export { fromHalves } from "./vectors/half.ts";
export type { HeatmapPeaks, HeatmapPeaksOptions } from "./perception/heatmap-peaks.ts";
export type { IbtOptions } from "./perception/ibt.ts";
export type { ImageScores } from "./perception/image-scores.ts";
export type { ImageToTensorSpec, Rgb } from "./perception/image-to-tensor-spec.ts";
export type { ImageTensor, ImageToTensor, RgbaImage } from "./perception/image-to-tensor.ts";
export type { Kernels } from "./kernels.ts";
export type { Fit, Size } from "./perception/letterbox-plan.ts";
export { loadKernels } from "./load-kernels.ts";
export { loadPerceptionKernels } from "./perception/load-perception-kernels.ts";
export { loadTrackingKernels } from "./tracking/load-tracking-kernels.ts";
export { loadTrainingKernels } from "./training/load-training-kernels.ts";
export { loadVectorKernels, type LoadKernelsOptions } from "./vectors/load-vector-kernels.ts";
export type { ModelUpdate, UpdateEncoding, UpdateNorm } from "./vectors/model-update.ts";
export type { NmsOptions } from "./perception/nms.ts";
export type { PerceptionKernels } from "./perception/perception-kernels.ts";
export { referenceKernels } from "./reference-kernels.ts";
export { shardedGallery, type ShardedGalleryOptions } from "./gallery/sharded-gallery.ts";
export type { ResidentFloats } from "./perception/resident-floats.ts";
export { seededRandom, shuffledIndices } from "./module/seeded-random.ts";
export type { ThresholdOptions } from "./perception/threshold.ts";
export type { TopClass, TopClassOptions } from "./perception/top-class.ts";
export type { TrackingKernels } from "./tracking/tracking-kernels.ts";
export type { TrainingKernels } from "./training/training-kernels.ts";
export type { UpdateBucket, UpdateBucketOptions } from "./vectors/update-bucket.ts";
export type { UpdateBuffer, UpdateBufferOptions } from "./vectors/update-buffer.ts";
export type { VectorKernels } from "./vectors/vector-kernels.ts";
export type { WeightedMean, WeightedMeanOptions } from "./vectors/weighted-mean.ts";
export type {
  WebgpuBuffer,
  WebgpuDevice,
  WebgpuEncoder,
  WebgpuHandle,
  WebgpuPass,
  WebgpuPipeline,
} from "./gallery/webgpu/webgpu-device.ts";
export { webgpuGallery, type WebgpuGalleryOptions } from "./gallery/webgpu/webgpu-gallery.ts";
