/**
 * The paradigms of edge-cloud AI as pure functions of ports. What an app needs is here; everything else has a
 * subpath, such as `@sedna-js/core/federation` or `@sedna-js/core/wire`.
 */

// Errors that an app catches.
export { type ErrorCode, type PlainError, SednaError, UnknownAlgorithmError, WireError } from "./errors.ts";

// Choosing an algorithm by name.
export { type AlgorithmTable, select, type Selection } from "./select.ts";

// Joint inference: a little model here, a big model in the cloud, and a miner between them.
export { hardExampleMining } from "./hard-example-mining/hard-example-mining.ts";
export type { HardExampleMiner, InferResult } from "./hard-example-mining/miner.ts";
export type { Paradigm } from "./paradigm.ts";
export { createJointInference } from "./joint-inference/joint-inference.ts";
export type {
  BigModel,
  BigModelCall,
  JointEvent,
  JointInference,
  JointInferenceOptions,
  JointPatch,
  JointPolicy,
  JointReason,
  JointResult,
  JointStatistics,
  JointStatus,
  JointTimings,
  MiningMode,
  RunOptions,
  SampleSource,
} from "./joint-inference/types.ts";

// Federated learning: the client, and the rules by which updates become a model.
export { aggregation } from "./aggregation/aggregation.ts";
export type { Aggregator } from "./aggregation/aggregator.ts";
export {
  createFederatedLearning,
  type FederatedLearning,
  type FederatedLearningOptions,
} from "./federated-learning/create-federated-learning.ts";
export type { FederatedEvent, FederatedStatus } from "./federated-learning/federated-event.ts";
export type { FederationTransport } from "./federated-learning/federation-transport.ts";

// Estimators: a model behind the calls that every paradigm needs.
export type { Estimator, EstimatorMetadata, TrainableEstimator } from "./estimator/estimator.ts";
export { createOnnxEstimator, type OnnxEstimatorOptions } from "./estimator/onnx-estimator.ts";
export type { BoundTask, Task } from "./estimator/task.ts";
export type { LabeledSample, LabeledSamples } from "./training/labeled-samples.ts";
export type { TrainingProgress, TrainingReport, TrainOptions } from "./training/train-options.ts";
export type { TrainingPauses } from "./training/training-pauses.ts";
export type { TrainingPlan } from "./training/training-plan.ts";

// Tensors and pictures.
export {
  fromNested,
  tensor,
  type Tensor,
  type TensorData,
  type Tensors,
  type TensorSpec,
  toNested,
} from "./tensor.ts";
export { agreement } from "./vision/agreement.ts";
export type { Detection, Detections } from "./vision/detections.ts";
export type { DecodeImage, EncodedImage, EncodeOptions, Frame, Pixels } from "./vision/frame.ts";
export { heatmapDetector } from "./vision/heatmap-detector.ts";
export { imageTask } from "./vision/image-task.ts";
export { nanodet } from "./vision/nanodet.ts";
export { classifier, tensors } from "./vision/tensor-tasks.ts";
