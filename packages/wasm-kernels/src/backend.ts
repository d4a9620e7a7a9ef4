import type { AssignCall } from "./assignment.ts";
import type { BoxIouCall } from "./box-iou.ts";
import type { GalleryStore } from "./create-gallery.ts";
import type { CrossEntropyCall } from "./cross-entropy.ts";
import type { CellLumaCall } from "./frame-difference.ts";
import type { GallerySpec } from "./gallery.ts";
import type { GflDecodeCall } from "./gfl-decode.ts";
import type { HeadStore } from "./head-trainer.ts";
import type { HeadTraining } from "./head-training.ts";
import type { HeatmapPeaksCall } from "./heatmap-peaks.ts";
import type { IbtCall } from "./ibt.ts";
import type { CheckedSpec } from "./image-to-tensor-spec.ts";
import type { ImageStore } from "./image-to-tensor.ts";
import type { NmsCall } from "./nms.ts";
import type { FloatStore } from "./resident-floats.ts";
import type { ThresholdCall } from "./threshold.ts";
import type { TopClass, TopClassCall } from "./top-class.ts";
import type { BucketStore, UpdateBucketSpec } from "./update-bucket.ts";
import type { RoomStore } from "./update-room.ts";
import type { SumStore, WeightedMeanSpec } from "./weighted-mean.ts";

/** How the kernels are computed. */
export type BackendName = "wasm-relaxed" | "wasm" | "reference";

/** One way to compute the perception kernels. Arguments have been checked; outputs are new unless the call carries them. */
export interface PerceptionBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  ibt(call: IbtCall): void;
  threshold(call: ThresholdCall): void;
  crossEntropy(call: CrossEntropyCall): void;
  topClass(call: TopClassCall): TopClass;
  gflDecode(call: GflDecodeCall): Float32Array;
  /** The peak cells, in row-major order. */
  heatmapPeaks(call: HeatmapPeaksCall): Uint32Array;
  nms(call: NmsCall): Uint32Array;
  resident(length: number): FloatStore;
  /** Of at least one pair. */
  imageToTensor(spec: CheckedSpec): ImageStore;
}

/** One way to compute the vector kernels. Arguments have been checked. */
export interface VectorBackend {
  readonly name: BackendName;
  weightedMean(spec: WeightedMeanSpec): SumStore;
  updateBucket(spec: UpdateBucketSpec): BucketStore;
  gallery(spec: GallerySpec): GalleryStore;
  checksum(bytes: Uint8Array): number;
  updateRoom(bytes: number): RoomStore;
}

/** One way to compute the training kernels. Arguments have been checked. */
export interface TrainingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  headTrainer(training: HeadTraining): HeadStore;
}

/** One way to compute the tracking kernels. Arguments have been checked. */
export interface TrackingBackend {
  readonly name: Exclude<BackendName, "wasm-relaxed">;
  boxIou(call: BoxIouCall): void;
  /** Each row's column, or -1; of at least one pair. */
  assign(call: AssignCall): Int32Array;
  cellLuma(call: CellLumaCall): void;
}
