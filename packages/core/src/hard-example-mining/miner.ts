/** One detection: xmin, ymin, xmax, ymax in pixels, score in [0,1], class label. */
export type DetectionRow = ArrayLike<number>;

/** What Sedna's miners judge: detection rows of one image, or one sample's class probabilities. */
export type InferResult = readonly DetectionRow[] | ArrayLike<number>;

/** What the cloud answered for a sample that a miner sent there. */
export interface MinerFeedback<Result = InferResult> {
  readonly edgeResult: Result | null;
  readonly cloudResult: Result;
}

/**
 * Says whether a sample is hard, that is, worth its upload. Sedna's interface is the call;
 * the optional parts are ours.
 */
export interface HardExampleMiner<Judged = InferResult> {
  (inferResult: Judged): boolean;
  /** Learns from the cloud's answer to a sample that was uploaded. */
  feedback?(feedback: MinerFeedback<Judged>): void;
}

/** Index of the score in a detection row. */
export const SCORE = 4;
