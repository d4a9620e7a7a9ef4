export type * from "./aggregation/aggregator.ts";
export { aggregation } from "./aggregation/index.ts";
export { stalenessWeight } from "./aggregation/staleness-weight.ts";
export { intersectionOverUnion } from "./box.ts";
export { seededRandom } from "@sedna-js/wasm-kernels";
export { averagePool } from "./datasets/average-pool.ts";
export { dirichletSplit, type DirichletSplitOptions } from "./datasets/dirichlet-split.ts";
export * from "./deadline.ts";
export * from "./errors.ts";
export * from "./estimator/estimator.ts";
export * from "./estimator/onnx-estimator.ts";
export * from "./estimator/onnx-runtime.ts";
export * from "./estimator/run-queue.ts";
export type { Reduced } from "./federated-learning/advance-federation.ts";
export {
  clientChoice,
  type ClientChoiceTable,
  type ClientChooser,
  type ClientsToChoose,
  type ResourceParameters,
  type SimpleParameters,
} from "./federated-learning/client-choice.ts";
export * from "./estimator/training-pauses.ts";
export type * from "./federated-learning/federation-state.ts";
export {
  createFederatedLearning,
  type FederatedLearning,
  type FederatedLearningOptions,
} from "./federated-learning/create-federated-learning.ts";
export type { FederatedEvent, FederatedStatus, MissedReason } from "./federated-learning/federated-event.ts";
export type * from "./federated-learning/federation-transport.ts";
export * from "./federated-learning/may-upload.ts";
export { nextTick } from "./federated-learning/next-tick.ts";
export { reduceFederation } from "./federated-learning/reduce-federation.ts";
export { roundSettings, roundTargets, type RoundTargets } from "./federated-learning/round-settings.ts";
export { entriesOf, entryOf, rosterOf, type Roster } from "./federated-learning/roster.ts";
export { startFederation } from "./federated-learning/start-federation.ts";
export { withSettings } from "./federated-learning/with-settings.ts";
export { taskOf } from "./federated-learning/task-of.ts";
export type { ResidualStore } from "./federated-learning/run-federated-client.ts";
export {
  expectedF1Loss,
  type DifficultyParameters,
  type ExpectedF1Parameters,
} from "./hard-example-mining/expected-f1.ts";
export { hardExampleMining } from "./hard-example-mining/index.ts";
export type { HardExampleMiner, InferResult } from "./hard-example-mining/miner.ts";
export { flatOf, headLayout, tensorsOf, type HeadTensor } from "./heads/head-layout.ts";
export * from "./heads/head-to-onnx.ts";
export { createJointInference } from "./joint-inference/joint-inference.ts";
export { newest } from "./joint-inference/newest.ts";
export type * from "./joint-inference/types.ts";
export * from "./metrics/metrics.ts";
export { mistnetParameters, type MistnetParameters } from "./mistnet/mistnet-parameters.ts";
export { privateRecords, recordPrivacy, type RecordPrivacy } from "./mistnet/private-records.ts";
export { trainMistnetHead, type MistnetTraining } from "./mistnet/train-mistnet-head.ts";
export * from "./optional.ts";
export * from "./next-wait.ts";
export * from "./or-abort.ts";
export { readPieces } from "./read-pieces.ts";
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
  randomisedResponse,
  randomiseLabels,
  type RandomisedResponse,
} from "./privacy/randomised-response.ts";
export {
  createSecureClient,
  type SecureClient,
  type SecureClientOptions,
} from "./secure-sum/create-secure-client.ts";
export {
  createSecureRound,
  type SecureReceipt,
  type SecureRound,
  type SecureRoundOptions,
  type SecureSum,
} from "./secure-sum/create-secure-round.ts";
export { neighbourhoodSize, type NeighbourhoodSize } from "./secure-sum/neighbours.ts";
export { fitsRing, levelsFor, type SecureMean } from "./secure-sum/quantise.ts";
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
export * from "./vision/sharp-images.ts";
export type * from "./estimator/task.ts";
export * from "./vision/tensor-tasks.ts";
export { memoryWeights } from "./weight-store/memory-weights.ts";
export { s3Weights, type S3WeightsOptions } from "./weight-store/s3-weights.ts";
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
  parseEnrolmentGrant,
  parseEnrolmentRequest,
  type DeviceClaim,
  type DeviceProof,
  type EnrolmentGrant,
  type EnrolmentRequest,
} from "./wire/device-enrolment.ts";
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
  parseUpdateRefused,
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
export type * from "./wire/secure-sum.ts";
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
