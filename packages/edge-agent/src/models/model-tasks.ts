import { classifier, heatmapDetector, nanodet, tensors, type Task } from "@sedna-js/core";

/** Tasks by their names in manifests: how a model's samples are encoded, and how its outputs are decoded. */
export type ModelTasks = Readonly<Record<string, (options: never) => Task<never, unknown>>>;

/**
 * The built-in tasks of every host. Extend by spreading: `exposeModelHost({ tasks: { ...modelTasks, mine }
 * })`.
 */
export const modelTasks = {
  heatmap: heatmapDetector,
  nanodet,
  classifier,
  tensors,
} as const satisfies ModelTasks;
