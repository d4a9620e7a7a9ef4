export { bigModelService, type BigModelServiceOptions } from "./big-model/big-model-service.ts";
export { createCloud, type Cloud, type CloudOptions } from "./http/create-cloud.ts";
export {
  CONTROL_CODES,
  controlSocket,
  type ControlSocketOptions,
} from "./federation/protocol/control-socket.ts";
export { createFederation } from "./federation/create-federation.ts";
export {
  memoryDeviceRegistry,
  type DeviceRecord,
  type DeviceRegistry,
} from "./federation/sessions/device-registry.ts";
export {
  enrolledSessions,
  type EnrolledSessions,
  type EnrolledSessionsOptions,
} from "./federation/sessions/enrolled-sessions.ts";
export {
  enrollmentService,
  type EnrollmentServiceOptions,
} from "./federation/sessions/enrollment-service.ts";
export {
  checkBlobName,
  type FederationLog,
  type FederationRecord,
  type ModelRecord,
  type SumCheckpoint,
} from "./federation/log/federation-log.ts";
export type { FederationOptions } from "./federation/federation-options.ts";
export { federationService, type FederationServiceOptions } from "./federation/federation-service.ts";
export type { Federation, FederationStats, UpdateUpload } from "./federation/federation.ts";
export type { Member } from "./federation/sessions/member.ts";
export { memoryFederationLog } from "./federation/log/memory-federation-log.ts";
export {
  anonymousSessions,
  type AnonymousSessionsOptions,
} from "./federation/sessions/anonymous-sessions.ts";
export { recomputeModel, type RecomputeOptions } from "./federation/rounds/recompute-model.ts";
export { sednaAggregation, type SednaAggregationOptions } from "./federation/sedna/sedna-aggregation.ts";
export type { Sessions } from "./federation/sessions/sessions.ts";
export type { Timers } from "./timers.ts";
export {
  modelService,
  type ModelFiles,
  type ModelServiceOptions,
  type PublishedFile,
} from "./models/model-service.ts";
export { sampleService, type SampleServiceOptions } from "./samples/sample-service.ts";
export { memorySamples, type SamplePage, type SampleStore } from "./samples/sample-store.ts";
export type { SednaCallback } from "./big-model/sedna-routes.ts";
export type { ServedEstimator } from "./big-model/served-model.ts";
export type { WebSocketLike } from "./http/service-socket.ts";
export type { Logger, Service, ServiceContext, ServiceSocket, SocketRoute } from "./http/service.ts";
export {
  createSigningKey,
  directoryModels,
  publishModel,
  readSigningKey,
  signKeySet,
  signManifest,
} from "#platform/models";
export { directoryFederationLog } from "#platform/federation/log";
export { directorySamples } from "#platform/samples";
export { fileDeviceRegistry } from "#platform/federation/sessions";
export { onnxFile, sharpDecoder } from "#platform/big-model";
export { serve } from "#platform/http";
export type { FileDeviceRegistryOptions } from "#platform/federation/sessions";
export type { OnnxFileOptions } from "#platform/big-model";
export type { PublishOptions, SigningKey } from "#platform/models";
export type { ServeOptions, Serving, SocketLimits } from "#platform/http";
export { mistnetService, type MistnetServiceOptions } from "./mistnet/mistnet-service.ts";
export type { UploadStore } from "./mistnet/mistnet-uploads.ts";
export type { SecureOptions } from "./federation/rounds/secure-options.ts";
export { aggregation, select, type Aggregator, type TrainingPlan } from "@sedna-js/core";
export { s3Weights } from "@sedna-js/core/adapters/s3";
export { clientSelection, type RoundSettings } from "@sedna-js/core/federation";
export { privateAggregator, type FederationPrivacy } from "@sedna-js/core/privacy";
export type { WeightStore } from "@sedna-js/core/weight-store";
export type { FederationStatus, MistnetPlan } from "@sedna-js/core/wire";
