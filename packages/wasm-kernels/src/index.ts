/** Numeric kernels of sedna-js: Rust compiled to WebAssembly, and a slow twin in TypeScript. */

export type { AssignOptions, Assignment } from "./assignment.ts";
export type { BackendName } from "./backend.ts";
export type { BoxIouOptions } from "./box-iou.ts";
export { checksum } from "./checksum.ts";
export type { CrossEntropyOptions } from "./cross-entropy.ts";
export type { FrameChange, FrameDifference, FrameDifferenceSpec } from "./frame-difference.ts";
export type { AsyncGallery, GalleryPort } from "./gallery-port.ts";
export type {
  Gallery,
  GalleryId,
  GalleryMatch,
  GalleryOptions,
  GalleryPrecision,
  MatchOptions,
} from "./gallery.ts";
export type { GflDecodeOptions } from "./gfl-decode.ts";
export type { Head } from "./head.ts";
export type { HeadEpoch, HeadTrainer } from "./head-trainer.ts";
export type { HeadOptimizer, HeadTrainerOptions } from "./head-training.ts";
export type { HeatmapPeaks, HeatmapPeaksOptions } from "./heatmap-peaks.ts";
export type { IbtOptions } from "./ibt.ts";
export type { ImageScores } from "./image-scores.ts";
export type { ImageToTensorSpec, Rgb } from "./image-to-tensor-spec.ts";
export type { ImageTensor, ImageToTensor, RgbaImage } from "./image-to-tensor.ts";
export type { Kernels } from "./kernels.ts";
export type { Fit, Size } from "./letterbox-plan.ts";
export { loadKernels } from "./load-kernels.ts";
export { loadPerceptionKernels, type LoadPerceptionKernelsOptions } from "./load-perception-kernels.ts";
export { loadTrackingKernels, type LoadTrackingKernelsOptions } from "./load-tracking-kernels.ts";
export { loadTrainingKernels, type LoadTrainingKernelsOptions } from "./load-training-kernels.ts";
export { loadVectorKernels, type LoadKernelsOptions } from "./load-vector-kernels.ts";
export type { ModelUpdate, UpdateEncoding, UpdateNorm } from "./model-update.ts";
export type { NmsOptions } from "./nms.ts";
export type { PerceptionKernels } from "./perception-kernels.ts";
export { referenceKernels } from "./reference/reference-kernels.ts";
export { shardedGallery, type ShardedGalleryOptions } from "./sharded-gallery.ts";
export type { ResidentFloats } from "./resident-floats.ts";
export { seededRandom, shuffled } from "./seeded-random.ts";
export type { ThresholdOptions } from "./threshold.ts";
export type { TopClass, TopClassOptions } from "./top-class.ts";
export type { TrackingKernels } from "./tracking-kernels.ts";
export type { TrainingKernels } from "./training-kernels.ts";
export type { UpdateBucket, UpdateBucketOptions } from "./update-bucket.ts";
export type { UpdateRoom, UpdateRoomOptions } from "./update-room.ts";
export type { VectorKernels } from "./vector-kernels.ts";
export type { WeightedMean, WeightedMeanOptions } from "./weighted-mean.ts";
export type {
  WebgpuBuffer,
  WebgpuDevice,
  WebgpuEncoder,
  WebgpuHandle,
  WebgpuPass,
  WebgpuPipeline,
} from "./webgpu/webgpu-device.ts";
export { webgpuGallery, type WebgpuGalleryOptions } from "./webgpu/webgpu-gallery.ts";
