/** Joint inference. */

export { createJointInference } from "./joint-inference.ts";
export type {
  AnswerSettings,
  BigModel,
  BigModelCall,
  JointInference,
  JointInferenceOptions,
  JointPatch,
  JointPolicy,
  JointReason,
  JointResult,
  JointSettings,
  JointStatistics,
  JointTimings,
  MiningMode,
  MiningSettings,
  RunOptions,
  SampleSource,
} from "./types.ts";
