/** The estimator port and its ONNX implementation. */

export type { Estimator, EstimatorMetadata, TrainableEstimator } from "./estimator.ts";
export { createOnnxEstimator, type OnnxEstimatorOptions } from "./onnx-estimator.ts";
export type { ExternalData, OnnxRuntime, OnnxSession } from "./onnx-session.ts";
export type { BoundTask, Task } from "./task.ts";
