import { classifier, heatmapDetector, nanodet, tensors, type Task } from "@sedna-js/core";

/** Tasks by the names that manifests call them: what a model's samples are, and what its outputs become. */
export type ModelTasks = Readonly<Record<string, (options: never) => Task<never, unknown>>>;

/**
 * The tasks that every host knows. Extend by spreading: `exposeModelHost({ tasks: { ...modelTasks, mine }
 * })`.
 */
export const modelTasks = {
  heatmap: heatmapDetector,
  nanodet,
  classifier,
  tensors,
} as const satisfies ModelTasks;
