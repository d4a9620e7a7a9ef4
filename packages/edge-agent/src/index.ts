export type { AgentEvent } from "./agent/agent-events.ts";
export { createEdgeAgent } from "./agent/create-edge-agent.ts";
export type {
  AgentStatus,
  EdgeAgent,
  EdgeAgentOptions,
  ModelSettings,
  ReportSettings,
  SampleSettings,
  UpdateSettings,
} from "./agent/edge-agent.ts";
export { bigModel, type BigModelOptions, type HttpBigModel } from "./big-model/big-model.ts";
export { localBigModel } from "./big-model/local-big-model.ts";
export type { CircuitBreakerOptions } from "./big-model/circuit-breaker.ts";
export type { BigModelResult, BigModelSample } from "./big-model/protocols.ts";
export { deviceIdentity, type DeviceIdentity } from "./federation/device-identity.ts";
export { type DeviceIdentityOptions } from "./federation/device-key.ts";
export { enrollDevice, type EnrollDeviceOptions } from "./federation/enroll-device.ts";
export { fetchFederationStatus, type FetchFederationStatusOptions } from "./federation/fetch-status.ts";
export { federationTransport, type FederationTransportOptions } from "./federation/federation-transport.ts";
export { onnxEstimator, type OnnxEstimatorOptions } from "./onnx/onnx-estimator.ts";
export { createModelSlot } from "./updates/create-model-slot.ts";
export { createUpdater, type Updater, type UpdaterOptions } from "./updates/create-updater.ts";
export type { UpdateEvent, ModelRejection } from "./updates/update-events.ts";
export type { UpdaterSettings } from "./updates/updater-settings.ts";
export { checkGolden, type CheckGoldenOptions, type GoldenCheck } from "./models/check-golden.ts";
export { createModelStore, type ModelStoreOptions } from "./models/create-model-store.ts";
export type { ModelStore, VerifiedModel, VersionState } from "./models/model-store.ts";
export { modelTasks, type ModelTasks } from "@sedna-js/core/vision";
export type { PrivacyLevel, PrivacyPolicy } from "./privacy/privacy-policy.ts";
export { privateBigModel } from "./privacy/private-big-model.ts";
export { openQueue, type OpenQueueOptions } from "./queue/open-queue.ts";
export { createSender } from "./queue/create-sender.ts";
export { type Sender, type SenderEvent, type SenderOptions } from "./queue/sender.ts";
export type {
  DropReason,
  DurableQueue,
  QueueEvent,
  QueueStatistics,
  OverflowPolicy,
} from "./queue/durable-queue.ts";
export type { EdgeJob, JobModel } from "./job/edge-job.ts";
export type { JobSource } from "./job/job-source-kind.ts";
export { parseJob, type ParseJobOptions } from "./job/parse-job.ts";
export { parseTrainJob } from "./job/parse-train-job.ts";
export type { TrainingData, TrainJob } from "./job/train-job.ts";
export {
  createAgentMetrics,
  type AgentMetrics,
  type AgentMetricsOptions,
} from "./telemetry/agent-metrics.ts";
export type { TelemetryAgent, TelemetryResult, TelemetryStatus } from "./telemetry/status-metrics.ts";
export { diagnose } from "./telemetry/doctor.ts";
export { type DiagnoseOptions } from "./telemetry/diagnose-options.ts";
export type { HealthCheck } from "./telemetry/health-check.ts";
export {
  openTelemetry,
  type AgentInstruments,
  type OpenTelemetryOptions,
} from "./telemetry/open-telemetry.ts";
export type { ReportEvent } from "./telemetry/report-events.ts";
export {
  createSednaReporter,
  type SednaReporter,
  type SednaReporterOptions,
} from "./telemetry/sedna-reporter.ts";
export { superviseModel, type SuperviseModelOptions } from "./supervisor/supervise-model.ts";
export type {
  FailureReason,
  Backend,
  SupervisedModel,
  SupervisorEvent,
} from "./supervisor/supervised-model.ts";
export { exposeEstimator } from "./worker/expose-estimator.ts";
export { exposeGallery } from "./worker/expose-gallery.ts";
export { exposeModelHost } from "./worker/expose-model-host.ts";
export { workerEstimator, type WorkerEstimator } from "./worker/worker-estimator.ts";
export { workerGallery } from "./worker/worker-gallery.ts";
export { headEstimator, type HeadEstimator, type HeadEstimatorOptions } from "./training/head-estimator.ts";
export type { FeatureResult, FeatureSource, OnnxFeatures } from "./training/feature-extractor.ts";
export { labeledSamples } from "./training/labeled-samples.ts";
export { createFeatureCache, type FeatureCache, type FeatureCacheOptions } from "./training/feature-cache.ts";
export { tfjsEstimator, type TfjsEstimatorOptions, type TfjsSample } from "./training/tfjs-estimator.ts";
export type { Tf, TfLayersModel, TfOptimizer, TfTensor } from "./training/tfjs-port.ts";
export {
  trainingPauses,
  type TrainingPausesOptions,
  type WatchedPauses,
} from "./training/training-pauses.ts";
export { type PauseReason } from "./training/pause-settings.ts";
export type { CheckpointOptions } from "./training/training-checkpoint.ts";
export type { ByteStore } from "./storage/byte-store.ts";
export { camera, directory, rtsp, videoElement, videoFile, videoFrames, webcam } from "#platform/sources";
export { decodeImage, drawFrame } from "#platform/frames";
export { openByteStore } from "#platform/storage";
export { openQueueStore } from "#platform/queue";
export type {
  CameraOptions,
  DirectoryOptions,
  RtspOptions,
  VideoFileOptions,
  VideoFramesOptions,
  WebcamOptions,
} from "#platform/sources";
export type { ExecutionProvider, ModelSource } from "#platform/onnx";
export { restartSource, type RestartSourceOptions } from "./sources/restart-source.ts";
export type { SourceEvent } from "./sources/source-events.ts";
export {
  agreement,
  classifier,
  createFederatedLearning,
  createJointInference,
  hardExampleMining,
  heatmapDetector,
  nanodet,
  SednaError,
  select,
  tensors,
  type BigModel,
  type Detection,
  type Detections,
  type Estimator,
  type FederatedEvent,
  type FederatedLearning,
  type FederatedLearningOptions,
  type FederatedStatus,
  type FederationTransport,
  type Frame,
  type HardExampleMiner,
  type JointEvent,
  type JointInference,
  type JointResult,
  type JointStatistics,
  type JointStatus,
  type LabeledSample,
  type LabeledSamples,
  type SampleSource,
  type Tensor,
  type Tensors,
  type TrainableEstimator,
  type TrainingPlan,
  type TrainingProgress,
  type TrainingReport,
  type TrainOptions,
} from "@sedna-js/core";
export { s3Weights } from "@sedna-js/core/adapters/s3";
export type { ResidualStore } from "@sedna-js/core/federated-learning";
export type { WeightStore } from "@sedna-js/core/weight-store";
export type { MistnetPlan, MistnetRecords, PublicKey } from "@sedna-js/core/wire";
export { createMistnetEdge, type MistnetEdge, type MistnetEdgeOptions } from "./mistnet/mistnet-edge.ts";
