/** Joint inference. */

export { createJointInference } from "./joint-inference.ts";
export type {
  AnswerSettings,
  BigModel,
  BigModelCall,
  JointEvent,
  JointInference,
  JointInferenceOptions,
  JointPatch,
  JointPolicy,
  JointReason,
  JointResult,
  JointSettings,
  JointStatistics,
  JointStatus,
  JointTimings,
  MiningMode,
  MiningSettings,
  RunOptions,
  SampleSource,
} from "./types.ts";
