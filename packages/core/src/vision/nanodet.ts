import { SednaError } from "../errors.ts";
import type { Task } from "../estimator/task.ts";
import type { Tensor, Tensors, TensorSpec } from "../tensor.ts";
import { checkThresholds, toDetections, type Detections } from "./detections.ts";
import type { Frame } from "./frame.ts";
import { imageTask } from "./image-task.ts";

/** Options of {@link nanodet}. */
export interface NanodetOptions {
  /** Minimum score of a detection. Default 0.35. */
  readonly threshold?: number;
  /** Overlap at which the box of a class with the lower score is dropped. Default 0.5. */
  readonly iouThreshold?: number;
  /** Class ids to keep, in the model's numbering (COCO-80: person is 0). Default: all. */
  readonly labels?: readonly number[];
}

/** Bins of the distance distribution per side of a box (generalized focal loss, Li et al. 2020). */
const BINS = 11;

/**
 * Creates a task for NanoDet: frames to detections. The image is stretched to the model's input, planar BGR,
 * normalized with the ImageNet means and standard deviations. Per stride, the model returns class scores [1,
 * cells, classes], already sigmoid, and distances [1, cells, 44]; their shapes tell them apart. Source:
 * RangiLyu/nanodet.
 */
export function nanodet({ threshold = 0.35, iouThreshold = 0.5, labels }: NanodetOptions = {}): Task<
  Frame,
  Detections
> {
  checkThresholds({ threshold, iouThreshold });
  const wanted = labels && new Set(labels);

  return imageTask({
    name: "nanodet",
    input: {
      fit: "stretch",
      layout: "nchw",
      channels: "bgr",
      mean: [123.675, 116.28, 103.53],
      std: [58.395, 57.12, 57.375],
    },
    bindOutputs({ outputs, kernels, input }) {
      const levels = pairLevels(outputs, input);
      return (results, geometry, frame) => {
        const boxes: number[] = [];
        const scores: number[] = [];
        const classes: number[] = [];
        for (const level of levels) {
          const found = kernels.topClass({
            scores: floats(results, level.scores),
            classes: level.classes,
            threshold,
          });
          const picked = wanted ? pick(found, wanted) : found;
          const decoded = kernels.gflDecode({
            distances: floats(results, level.distances),
            cells: picked.index,
            bins: BINS,
            stride: level.stride,
            gridWidth: level.gridWidth,
          });
          boxes.push(...decoded);
          scores.push(...picked.score);
          classes.push(...picked.label);
        }
        const found = {
          boxes: Float32Array.from(boxes),
          scores: Float32Array.from(scores),
          labels: Uint32Array.from(classes),
        };
        const kept = kernels.nms({ ...found, iouThreshold });
        return toDetections({ ...found, kept }, geometry, frame);
      };
    },
  });
}

interface Level {
  readonly scores: string;
  readonly distances: string;
  readonly classes: number;
  readonly stride: number;
  readonly gridWidth: number;
}

/** Pairs score and distance outputs by their number of cells. */
function pairLevels(
  outputs: readonly TensorSpec[],
  { width, height }: { readonly width: number; readonly height: number },
): readonly Level[] {
  const distances = outputs.filter(({ shape }) => shape.length === 3 && shape[2] === 4 * BINS);
  const levels = distances.flatMap((distance): Level[] => {
    const cells = distance.shape[1]!;
    const score = outputs.find(
      ({ name, shape }) =>
        name !== distance.name && shape.length === 3 && shape[1] === cells && shape[2] !== 4 * BINS,
    );
    const stride = Math.round(Math.sqrt((width * height) / cells));
    const gridWidth = Math.ceil(width / stride);
    if (!score || gridWidth * Math.ceil(height / stride) !== cells) return [];
    return [{ scores: score.name, distances: distance.name, classes: score.shape[2]!, stride, gridWidth }];
  });
  if (levels.length === 0 || levels.length * 2 !== outputs.length) {
    const got = outputs.map(({ name, shape }) => `${name} [${shape}]`).join("; ") || "none";
    throw new SednaError(
      `bind nanodet: expected pairs of outputs [1,cells,classes] and [1,cells,${4 * BINS}]; got ${got}`,
      { code: "model-mismatch" },
    );
  }
  return levels.toSorted((a, b) => a.stride - b.stride);
}

function floats(results: Tensors, name: string): Float32Array {
  return (results[name] as Tensor).data as Float32Array;
}

type Picked = { readonly index: Uint32Array; readonly label: Uint32Array; readonly score: Float32Array };

function pick({ index, label, score }: Picked, wanted: ReadonlySet<number>): Picked {
  const keep = (_: number, i: number): boolean => wanted.has(label[i]!);
  return {
    index: index.filter(keep),
    score: score.filter(keep),
    label: label.filter((one) => wanted.has(one)),
  };
}
