import { SednaError } from "../errors.ts";
import type { Task } from "../estimator/task.ts";
import { checkThresholds, toDetections, type Detections } from "./detections.ts";
import type { Frame } from "./frame.ts";
import { imageTask } from "./image-task.ts";

/** Options of {@link heatmapDetector}. */
export interface HeatmapDetectorOptions {
  /** Minimum score of a detection. Miners of uncertain boxes need low scores too. Default 0.05. */
  readonly threshold?: number;
  /** Overlap at which the box with the lower score is dropped. Default 0.5. */
  readonly iouThreshold?: number;
  /** Class that the model detects. Default 0. */
  readonly label?: number;
}

/**
 * Creates a task for a one-class detector with a heatmap: frames to detections. The image is stretched to the
 * model's input, planar RGB in 0..1. The model returns `heatmap` [1,1,h,w] and `ltrb` [1,4,h,w], the
 * distances from a cell's center to the sides of its box, in input pixels. Source: CenterNet (Zhou et al.
 * 2019), simplified; models/tiny-person trains the models.
 */
export function heatmapDetector({
  threshold = 0.05,
  iouThreshold = 0.5,
  label = 0,
}: HeatmapDetectorOptions = {}): Task<Frame, Detections> {
  checkThresholds({ threshold, iouThreshold });

  return imageTask({
    name: "heatmapDetector",
    input: { fit: "stretch", layout: "nchw", channels: "rgb", mean: [0, 0, 0], std: [255, 255, 255] },
    bindOutputs({ outputs, kernels, input }) {
      const heatmap = outputs.find(({ shape }) => shape.length === 4 && shape[1] === 1);
      const ltrb = outputs.find(({ shape }) => shape.length === 4 && shape[1] === 4);
      const [height = 0, width = 0] = heatmap?.shape.slice(2) ?? [];
      const stride = input.width / width;
      if (
        !heatmap ||
        !ltrb ||
        !(height > 0 && width > 0) ||
        ltrb.shape[2] !== height ||
        ltrb.shape[3] !== width ||
        stride !== input.height / height
      ) {
        const got = outputs.map(({ name, shape }) => `${name} [${shape}]`).join("; ") || "none";
        throw new SednaError(
          `bind heatmapDetector: expected outputs [1,1,h,w] and [1,4,h,w] of one stride for ${input.width}x${input.height}; got ${got}`,
          { code: "model-mismatch" },
        );
      }

      return (results, geometry, frame) => {
        const [heat, sides] = [
          results[heatmap.name]!.data as Float32Array,
          results[ltrb.name]!.data as Float32Array,
        ];
        const peaks = kernels.heatmapPeaks({ heatmap: heat, ltrb: sides, height, width, stride, threshold });
        const kept = kernels.nms({ ...peaks, iouThreshold });
        const labels = new Uint32Array(peaks.scores.length).fill(label);
        return toDetections({ ...peaks, labels, kept }, geometry, frame);
      };
    },
  });
}
