/** Frames, detections, and the tasks of pictures. */

export { intersectionOverUnion } from "../box.ts";
export { agreement, type Agreement } from "./agreement.ts";
export { type Detection, type Detections, toDetections } from "./detections.ts";
export {
  checkSize,
  type DecodeImage,
  type EncodedImage,
  type EncodeOptions,
  fitWithin,
  type Frame,
  type ImageType,
  isFrame,
  type Pixels,
} from "./frame.ts";
export { heatmapDetector, type HeatmapDetectorOptions } from "./heatmap-detector.ts";
export { type ImageInputSpec } from "./image-input.ts";
export { imageTask, type ImageTaskOptions } from "./image-task.ts";
export { imageTasks, modelTasks, type ModelTasks } from "./model-tasks.ts";
export { nanodet, type NanodetOptions } from "./nanodet.ts";
export { classifier, tensors } from "./tensor-tasks.ts";
