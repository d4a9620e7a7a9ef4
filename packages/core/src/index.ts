export type * from "./aggregation/aggregator.ts";
export { aggregation } from "./aggregation/aggregation.ts";
export { stalenessWeight } from "./aggregation/lib/mean-accumulator.ts";
export { intersectionOverUnion } from "./box.ts";
export { seededRandom } from "@sedna-js/wasm-kernels";
export { averagePool } from "./datasets/average-pool.ts";
export { dirichletSplit, type DirichletSplitOptions } from "./datasets/dirichlet-split.ts";
export * from "./async/deadline.ts";
export * from "./errors.ts";
export * from "./estimator/estimator.ts";
export type * from "./estimator/onnx-session.ts";
export type * from "./training/labeled-samples.ts";
export type * from "./training/train-options.ts";
export type * from "./training/training-plan.ts";
export * from "./estimator/onnx-estimator.ts";
export * from "./adapters/onnx-runtime.ts";
export * from "./async/serial-queue.ts";
export type { Reduced } from "./federation/advance-federation.ts";
export {
  clientSelection,
  type ClientSelectionTable,
  type ClientSelector,
  type SelectionPool,
  type ResourceParameters,
  type SimpleParameters,
} from "./federation/client-selection.ts";
export * from "./training/training-pauses.ts";
export type * from "./federation/federation-state.ts";
export {
  createFederatedLearning,
  type FederatedLearning,
  type FederatedLearningOptions,
} from "./federated-learning/create-federated-learning.ts";
export type { FederatedEvent, FederatedStatus, MissedReason } from "./federated-learning/federated-event.ts";
export type * from "./federated-learning/federation-transport.ts";
export * from "./federation/check-upload.ts";
export { nextTick } from "./federation/next-tick.ts";
export { reduceFederation } from "./federation/reduce-federation.ts";
export { roundSettings, roundTargets, type RoundTargets } from "./federation/round-settings.ts";
export { allClients, getClient, clientMap, type ClientMap } from "./federation/client-map.ts";
export { initialFederation } from "./federation/initial-federation.ts";
export { applySettings } from "./federation/initial-federation.ts";
export { taskFor } from "./federation/task-for.ts";
export type { ResidualStore } from "./federated-learning/run-federated-client.ts";
export {
  expectedF1Loss,
  type DifficultyParameters,
  type ExpectedF1Parameters,
} from "./hard-example-mining/expected-f1.ts";
export { hardExampleMining } from "./hard-example-mining/hard-example-mining.ts";
export type { HardExampleMiner, InferResult } from "./hard-example-mining/miner.ts";
export { flatOf, headLayout, tensorsOf, type HeadTensor } from "./heads/head-layout.ts";
export * from "./heads/head-to-onnx.ts";
export { createJointInference } from "./joint-inference/joint-inference.ts";
export { newest } from "./async/latest.ts";
export type * from "./joint-inference/types.ts";
export * from "./adapters/prometheus.ts";
export { mistnetParameters, type MistnetParameters } from "./mistnet/mistnet-parameters.ts";
export { privateRecords, recordPrivacy, type RecordPrivacy } from "./mistnet/private-records.ts";
export { trainMistnetHead, type MistnetTraining } from "./mistnet/train-mistnet-head.ts";
export * from "./optional.ts";
export * from "./async/backoff.ts";
export * from "./async/abortable.ts";
export { readChunks } from "./async/read-chunks.ts";
export { gaussianEpsilon, gaussianNoiseFor } from "./privacy/analytic-gaussian.ts";
export { addGaussianNoise } from "./privacy/gaussian-noise.ts";
export {
  createPrivacyAccountant,
  noiseMultiplierFor,
  RENYI_ORDERS,
  type GaussianReleases,
  type PrivacyAccountant,
} from "./privacy/privacy-accountant.ts";
export {
  privateAggregator,
  type FederationPrivacy,
  type PrivateAggregation,
  type PrivateAggregatorOptions,
} from "./privacy/private-aggregator.ts";
export { privateVectors, type VectorMechanism } from "./privacy/private-vectors.ts";
export { cryptographicRandom, randomBits, type FillRandom, type RandomBits } from "./privacy/random-bits.ts";
export {
  estimateCounts,
  randomizedResponse,
  randomizeLabels,
  type RandomizedResponse,
} from "./privacy/randomized-response.ts";
export {
  createSecureClient,
  type SecureClient,
  type SecureClientOptions,
} from "./secure-aggregation/create-secure-client.ts";
export {
  createSecureRound,
  type SecureReceipt,
  type SecureRound,
  type SecureRoundOptions,
  type SecureAggregate,
} from "./secure-aggregation/create-secure-round.ts";
export { neighborhoodSize, type NeighborhoodSize } from "./secure-aggregation/neighborhood.ts";
export { fitsRing, levelsFor, type SecureMean } from "./secure-aggregation/quantize.ts";
export * from "./select.ts";
export * from "./tensor.ts";
export {
  createUpdateEncoder,
  type EncodedUpdate,
  type UpdateEncoder,
  type UpdateFacts,
} from "./update-codec/create-update-encoder.ts";
export { decodeUpdate, modelUpdate } from "./update-codec/model-update.ts";
export * from "./vision/agreement.ts";
export * from "./vision/detections.ts";
export * from "./vision/frame.ts";
export * from "./vision/heatmap-detector.ts";
export * from "./vision/image-input.ts";
export * from "./vision/image-task.ts";
export * from "./vision/nanodet.ts";
export * from "./adapters/sharp-images.ts";
export type * from "./estimator/task.ts";
export * from "./vision/tensor-tasks.ts";
export { memoryWeights } from "./weight-store/memory-weights.ts";
export { s3Weights, type S3WeightsOptions } from "./adapters/s3/s3-weights.ts";
export {
  checkWeightKey,
  sha256Hex,
  type WeightStore,
  type WeightsWanted,
} from "./weight-store/weight-store.ts";
export * from "./wire/content-digest.ts";
export * from "./wire/detections.ts";
export {
  claimBytes,
  deviceId,
  isDeviceId,
  parseEnrollmentGrant,
  parseEnrollmentRequest,
  type DeviceClaim,
  type DeviceProof,
  type EnrollmentGrant,
  type EnrollmentRequest,
} from "./wire/device-enrollment.ts";
export * from "./wire/federation.ts";
export {
  flatLength,
  isFederationName,
  parseFederationPlan,
  parseHello,
  parseSessionGrant,
  parseSessionRequest,
} from "./wire/federation-parsers.ts";
export {
  SECURE_PHASES,
  parseFederationStatus,
  parseFederationTask,
  parseUpdateReceipt,
  parseUpdateRejection,
} from "./wire/federation-parsers-rounds.ts";
export * from "./wire/hot-update-config.ts";
export { canonicalJson } from "./wire/canonical-json.ts";
export * from "./wire/mistnet.ts";
export type * from "./wire/model-manifest.ts";
export { parseSignedKeySet, parseSignedManifest, readPublicKey } from "./wire/parse-model-manifest.ts";
export { onnxReferences } from "./wire/onnx-references.ts";
export * from "./wire/open-inference.ts";
export * from "./wire/safetensors.ts";
export * from "./wire/sample-upload.ts";
export {
  maxSecureAnswerBytes,
  readSecureAnswer,
  writeSecureAnswer,
  type SecureAnswerHead,
} from "./wire/secure-answer.ts";
export type * from "./wire/secure-aggregation.ts";
export * from "./wire/sedna-aggregation.ts";
export * from "./wire/sedna-inference.ts";
export {
  payloadBytes,
  readUpdateHead,
  readUpdateMessage,
  writeUpdateMessage,
} from "./wire/update-message.ts";
export * from "./wire/update-reference.ts";
export * from "./wire/worker-report.ts";
