/** Every message that crosses a process: types and parsers. */

export { canonicalJson } from "./canonical-json.ts";
export { CONTENT_DIGEST, contentDigest } from "./content-digest.ts";
export { type DetectionRow, parseDetections } from "./detections.ts";
export {
  claimBytes,
  type DeviceClaim,
  deviceId,
  type DeviceProof,
  type EnrollmentGrant,
  type EnrollmentRequest,
  isDeviceId,
  parseEnrollmentGrant,
  parseEnrollmentRequest,
} from "./device-enrollment.ts";
export {
  parseFederationStatus,
  parseFederationTask,
  parseUpdateReceipt,
  parseUpdateRejection,
  SECURE_PHASES,
} from "./federation-parsers-rounds.ts";
export {
  flatLength,
  isFederationName,
  parseFederationPlan,
  parseHello,
  parseSessionGrant,
  parseSessionRequest,
} from "./federation-parsers.ts";
export {
  type ClientResources,
  type FederationClientStatus,
  type FederationPlan,
  type FederationStatus,
  type FederationTask,
  type RejectionCode,
  type RoundSummary,
  type SecurePhase,
  type SessionGrant,
  type SessionRequest,
  UPDATE_TYPE,
  type UpdateHead,
  type UpdateMessage,
  type UpdateReceipt,
  type UpdateRejection,
} from "./federation.ts";
export { randomHex, toHex } from "../hex.ts";
export { type HotUpdateConfig, parseHotUpdateConfig } from "./hot-update-config.ts";
export {
  maxMistnetBytes,
  MISTNET_TYPE,
  type MistnetPlan,
  type MistnetRecords,
  type MistnetStatus,
  parseMistnetPlan,
  parseMistnetStatus,
  readMistnetUpload,
  writeMistnetUpload,
} from "./mistnet.ts";
export type {
  GoldenCase,
  KeySet,
  ManifestSignature,
  ModelFile,
  ModelManifest,
  ModelVariant,
  PublicKey,
  SignedKeySet,
  SignedManifest,
} from "./model-manifest.ts";
export { onnxReferences } from "./onnx-references.ts";
export { flatten, type OipDatatype, type OipTensor } from "./open-inference-tensors.ts";
export {
  formatInferRequest,
  formatInferResponse,
  INFERENCE_HEADER_LENGTH,
  type OipBody,
  type OipInferRequest,
  type OipInferResponse,
  parseInferRequest,
  parseInferResponse,
  toOipMetadata,
} from "./open-inference.ts";
export { parseSignedKeySet, parseSignedManifest, readPublicKey } from "./parse-model-manifest.ts";
export {
  type Fields,
  fieldsOf,
  type NumberLimits,
  readList,
  readWhole,
  type TextLimits,
} from "./read-fields.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export {
  isSampleId,
  readSampleUpload,
  SAMPLE_UPLOAD_TYPE,
  type SampleHead,
  type SampleDescription,
  type SampleStamp,
  type SampleUpload,
  stampSample,
  writeSampleUpload,
} from "./sample-upload.ts";
export type {
  SecureAnswer,
  SecureKeys,
  SecureKeysTask,
  SecureMaskedTask,
  SecureSettings,
  SecureShare,
  SecureSharesResponse,
  SecureSharesTask,
  SecureUnmaskResponse,
  SecureUnmaskTask,
} from "./secure-aggregation.ts";
export {
  maxSecureResponseBytes,
  readSecureResponse,
  type SecureResponseHead,
  writeSecureResponse,
} from "./secure-answer.ts";
export {
  parseSednaAggregationMessage,
  SEDNA_MAX_FRAME_BYTES,
  type SednaAggregationMessage,
  type SednaRecvWeight,
  writeSednaClientJoin,
  writeSednaRecvWeight,
  writeSednaSubscribe,
  writeSednaUpdateWeight,
} from "./sedna-aggregation.ts";
export {
  parsePredictRequest,
  parsePredictResponse,
  type SednaModelInfo,
  type SednaPredictRequest,
  type SednaPredictResponse,
  type SednaValidationDetail,
  SednaValidationError,
} from "./sedna-inference.ts";
export { payloadBytes, readUpdateHead, readUpdateMessage, writeUpdateMessage } from "./update-message.ts";
export {
  modelKey,
  parseUpdateReference,
  UPDATE_REFERENCE_TYPE,
  updateKey,
  type UpdateReference,
} from "./update-reference.ts";
export {
  type InferenceInfo,
  parseWorkerReport,
  type ReportOwner,
  WORKER_REPORT_TYPE,
  type WorkerReport,
  workerReportPath,
  type WorkerResult,
  type WorkerStatus,
  writeWorkerReport,
} from "./worker-report.ts";
