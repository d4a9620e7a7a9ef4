/** What training needs, whatever the paradigm. */

export type { LabeledSample, LabeledSamples } from "./labeled-samples.ts";
export type { TrainingProgress, TrainingReport, TrainOptions } from "./train-options.ts";
export { type TrainingPauses, untilResumed } from "./training-pauses.ts";
export type { LayerSpec, TrainingPlan } from "./training-plan.ts";
