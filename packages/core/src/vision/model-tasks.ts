import type { Task } from "../estimator/task.ts";
import { heatmapDetector } from "./heatmap-detector.ts";
import { nanodet } from "./nanodet.ts";
import { classifier, tensors } from "./tensor-tasks.ts";

/** Tasks by their names in manifests: how a model's samples are encoded, and how its outputs are decoded. */
export type ModelTasks = Readonly<Record<string, (options: never) => Task<never, unknown>>>;

/** The tasks whose samples are images. A job of a device can name them, and `sedna-cloud serve` too. */
export const imageTasks = { heatmap: heatmapDetector, nanodet } as const satisfies ModelTasks;

/**
 * The built-in tasks of every host. Extend by spreading: `exposeModelHost({ tasks: { ...modelTasks, mine }
 * })`.
 */
export const modelTasks = { ...imageTasks, classifier, tensors } as const satisfies ModelTasks;
