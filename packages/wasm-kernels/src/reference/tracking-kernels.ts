import { createTrackingKernels } from "../create-tracking-kernels.ts";
import type { TrackingKernels } from "../tracking-kernels.ts";
import { assign } from "./assignment.ts";
import { boxIou } from "./box-iou.ts";
import { cellLuma } from "./frame-difference.ts";

/** The slow twin of the tracking kernels: obvious loops in plain TypeScript. */
export function referenceTrackingKernels(): TrackingKernels {
  return createTrackingKernels({ name: "reference", boxIou, assign, cellLuma });
}
