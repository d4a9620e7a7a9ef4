import { createTrackingKernels, type TrackingKernels } from "../tracking-kernels.ts";

import { kernelMemory } from "../../module/kernel-memory.ts";
import type { TrackingExports } from "./tracking-exports.ts";
import { assign, boxIou, cellLuma } from "./tracking.ts";

/** Creates the tracking kernels over a module instance, which must have no other user. */
export function wasmTrackingKernels(exports: TrackingExports): TrackingKernels {
  const memory = kernelMemory(exports);
  return createTrackingKernels({
    name: "wasm",
    boxIou: (call) => boxIou(memory, call),
    assign: (call) => assign(memory, call),
    cellLuma: (call) => cellLuma(memory, call),
  });
}
